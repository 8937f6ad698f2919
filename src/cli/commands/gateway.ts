import { Command, Option } from 'commander';
import type { GatewayCommand } from '../gateway/serve-gateway.js';
import type { Host } from '../host.js';
import { collect, configOption, namespaceOption } from '../options.js';

const HELP = `
A proxy asks it about each call, and calls the service behind only if the answer is 200:
  GET <listen>/auth      what nginx (auth_request), Caddy, HAProxy and Traefik ask (X-Forwarded-Method, -Host and -Uri)
  GET <listen>/denied    the same refusal for nginx's error page; it never lets a call through
  <grpc-listen>          Envoy's and Istio's external authorization (npm install @grpc/grpc-js)
Limits of tokens are counted in its memory. Several gateways share the counts with a shared rateLimiter in postern.config.
Ready files for each proxy are in examples/gateways of postern's repository.`;

export function gateway(host: Host): Command {
  return new Command('gateway')
    .description('Decide about calls for a proxy: nginx, Caddy, HAProxy, Traefik, Envoy, Kubernetes.')
    .option('--listen <address>', 'where proxies ask over HTTP; port 0 takes a free one', '127.0.0.1:4180')
    .option('--grpc-listen <address>', "where Envoy asks over gRPC, such as 127.0.0.1:4181 (default: it can't)")
    .addOption(
      new Option(
        '--host-pattern <pattern>',
        'finds the endpoint in the host of a call: {endpoint}.{organization}.example.com',
      ).conflicts(['endpointHeader', 'endpointContext']),
    )
    .addOption(
      new Option(
        '--endpoint-header <name>',
        'finds it in this header, which the proxy sets on every question',
      ).conflicts('endpointContext'),
    )
    .option('--endpoint-context', "finds it in the context_extensions of Envoy's routes")
    .addOption(
      new Option('--trusted-proxy <address>', 'a proxy that may ask: an address or a network; repeatable; required')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('--internal-network <network>', 'callers from here reach private endpoints; repeatable')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--call-from <place>',
        'where a question over HTTP describes the call (default: forwarded, unless its own host fits the host pattern)',
      ).choices(['forwarded', 'request']),
    )
    .option(
      '--store <url>',
      'the store: sqlite:<path>, postgres://…, mysql://…, redis://…, or config for the one in postern.config (or POSTERN_STORE)',
    )
    .addOption(namespaceOption())
    .addOption(configOption())
    .option('--organization <name>', 'the organization if none is named (default: default)')
    .option('--token-prefix <prefix>', 'the prefix of tokens (default: pst)')
    .option('--hop-issuer <url>', 'sign the identity of callers for the services behind, as this issuer')
    .option('--hop-keys <path>', 'the file of its keys (JWKs); it is made if missing, with mode 0600')
    .option('--jwks-listen <address>', 'where services fetch the public keys: GET /.well-known/jwks.json')
    .addHelpText('after', HELP)
    .action(async (options: GatewayCommand) => {
      const { serveGateway } = await import('../gateway/serve-gateway.js');
      await serveGateway(host, options);
    });
}
