/**
 * The direction of imports: domain ← ports ← base ← deciding, managing ← instance; stores and limits stand on base, transports and jwt on instance.
 * Types count too (`tsPreCompilationDeps`): a layer that knows another's types knows that layer.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Two files that need each other are one file, or need a third. Types count as well.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'An import that resolves to nothing escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'domain-is-pure',
      comment: 'The domain imports itself alone: no service, no package, nothing of the runtime.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'ports-know-domain',
      comment: 'What the outside must give is said in the words of the domain, and imports nothing else.',
      severity: 'error',
      from: { path: '^src/ports/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports)/' },
    },
    {
      name: 'base-knows-ports',
      comment: 'What every room stands on: settings, time, events, digests, stored rows. It knows no use case.',
      severity: 'error',
      from: { path: '^src/base/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports|base)/' },
    },
    {
      name: 'deciding-knows-base',
      comment: 'Decisions know nothing of what changes tokens and endpoints.',
      severity: 'error',
      from: { path: '^src/deciding/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports|base|deciding)/' },
    },
    {
      name: 'managing-knows-base',
      comment: 'Management tells deciding what to forget through ports, and knows nothing else of it.',
      severity: 'error',
      from: { path: '^src/managing/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports|base|managing)/' },
    },
    {
      name: 'instance-builds-the-rooms',
      comment: 'createPostern puts the rooms together; it knows no store and no transport.',
      severity: 'error',
      from: { path: '^src/instance/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports|base|deciding|managing|instance)/' },
    },
    {
      name: 'stores-know-ports',
      comment: 'A store implements a port and knows no transport.',
      severity: 'error',
      from: { path: '^src/stores/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports|base|stores)/' },
    },
    {
      name: 'stores-apart',
      comment: 'One store never needs another; what SQL ones share is in stores/sql, what all share in stores/shared.',
      severity: 'error',
      from: { path: '^src/stores/([^/.]+)' },
      to: { path: '^src/stores/', pathNot: '^src/stores/($1[/.]|sql/|shared/)' },
    },
    {
      name: 'transports-know-no-store',
      comment: 'A transport asks the authorizer; where the records lie is none of its business.',
      severity: 'error',
      from: { path: '^src/transports/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports|base|instance|transports)/' },
    },
    {
      name: 'limits-know-ports',
      comment: 'A rate limiter implements a port and knows neither store nor transport.',
      severity: 'error',
      from: { path: '^src/limits/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports|base|limits)/' },
    },
    {
      name: 'adapters-apart',
      comment: 'One entry never loads another entry of the transports, or its peer would come along.',
      severity: 'error',
      from: { path: '^src/transports/(express|fastify|fetch|hono|nestjs|connect|node|zones|grpc)[/.]' },
      to: {
        path: '^src/transports/(express|fastify|fetch|hono|nestjs|connect|node|zones|grpc)[/.]',
        pathNot: '^src/transports/($1[/.]|grpc/grpc-credential[.]ts$|zones[.]ts$)',
      },
    },
    {
      name: 'jwt-knows-ports',
      comment: 'Signed tokens are authenticators behind a port; they know neither store nor transport.',
      severity: 'error',
      from: { path: '^src/jwt/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports|base|deciding|managing|instance|jwt)/' },
    },
    {
      name: 'gateway-is-above',
      comment: 'A gateway asks as a guard does, and signs as access tokens do; it brings no store and no framework.',
      severity: 'error',
      from: { path: '^src/gateway/' },
      to: {
        path: '^src/',
        pathNot:
          '^src/(domain|ports|base|instance|jwt|gateway)/|^src/transports/(ask|fetch-credential|fetch-answer|guard-options|http-answer|node-face|node-request|once|problem|rate-limit-headers|rpc-status|zones)[.]ts$',
      },
    },
    {
      name: 'hops-run-anywhere',
      comment: 'Services verify hops in any runtime: nothing of a gateway comes along.',
      severity: 'error',
      from: { path: '^src/gateway/hop/' },
      to: { path: '^src/(gateway/(?!hop/)|transports/zones[.]ts$)' },
    },
    {
      name: 'otel-watches',
      comment: 'Telemetry sees an instance through the port of an observer; no store and no transport knows of it.',
      severity: 'error',
      from: { path: '^src/otel/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports|base|instance|otel)/' },
    },
    {
      name: 'management-is-above',
      comment: 'Management speaks HTTP over an instance and signed tokens; it brings no store and no framework.',
      severity: 'error',
      from: { path: '^src/management/' },
      to: {
        path: '^src/',
        pathNot:
          '^src/(domain|ports|base|managing|instance|jwt|management)/|^src/limits/memory[.]ts$|^src/transports/(ask|fetch-credential|credential|http-answer|node-answer|node-face|node-request|once|problem|rate-limit-headers)[.]ts$',
      },
    },
    {
      name: 'cli-is-on-top',
      comment: 'The command puts everything together, and nothing needs it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'testing-is-last',
      comment: 'What helps tests is imported by tests alone, and never reaches a transport.',
      severity: 'error',
      from: { path: '^src/testing/' },
      to: { path: '^src/', pathNot: '^src/(domain|ports|base|managing|instance|limits|stores|testing)/' },
    },
    {
      name: 'entries-are-for-users',
      comment: 'Inside, a thing is imported from where it is made; an entry would tie everything to everything.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/entries/' },
    },
    {
      name: 'index-is-the-core',
      comment: 'The core entry runs on any runtime and needs no peer: domain, services and what is kept in memory.',
      severity: 'error',
      from: { path: '^src/entries/index\\.ts$' },
      to: {
        pathNot: '^src/(domain/|ports/|base/|deciding/|managing/|instance/|limits/memory\\.ts$|stores/memory\\.ts$)',
      },
    },
    {
      name: 'node-only-where-node-is',
      comment: 'What any runtime loads names nothing of Node; the entries that run on Node alone may.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot:
          '^src/(stores/(sqlite|postgres|mysql|redis)/|transports/(express|fastify|zones|node|node-[^/]+)\\.ts$|transports/(grpc|nestjs)/|testing/|management/adapters/|management/console/build[.]mjs$|cli/)',
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'packages-that-are-declared',
      comment: 'src loads what package.json gives its user: dependencies and peers.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli/|management/console/(client/|build[.]mjs$))' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional', 'npm-bundled'],
        dependencyTypesNot: ['npm-peer', 'npm', 'type-only'],
      },
    },
    {
      name: 'cli-brings-its-own',
      comment: 'What the command is made with is bundled into it at build time; its licences are listed.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional', 'npm-bundled'],
        dependencyTypesNot: ['npm-peer', 'npm', 'type-only'],
        pathNot: '^node_modules/(commander|yaml|env-paths|string-width)/',
      },
    },
    {
      name: 'console-brings-preact',
      comment:
        'Preact is bundled into the console at build time, and its licence is listed. The console has no other package inside.',
      severity: 'error',
      from: { path: '^src/management/console/client/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        pathNot: '(^|/)node_modules/preact/',
      },
    },
    {
      name: 'peers-in-their-own-entry',
      comment: 'A peer is loaded by the entry that is named for it, and by no other.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot:
          '^src/(transports/(express|fastify|hono|connect)(-lint|-lease)?\\.ts$|transports/(grpc|nestjs)/|stores/[^/]+/|limits/|otel/|cli/gateway/listen-grpc\\.ts$)',
      },
      to: { dependencyTypes: ['npm-peer'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // A git worktree may share the packages of another one by a link.
    preserveSymlinks: true,
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
