/**
 * Calls both tools of examples/mcp/server.ts with the SDK's client.
 *
 *   npx tsx examples/mcp/client.ts <address> <token>
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';

const [address = '', token = ''] = process.argv.slice(2);
const requestInit = { headers: { Authorization: `Bearer ${token}` } };
const client = new Client({ name: 'example', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL(address), { requestInit }) as Transport);
for (const name of ['search', 'publish']) {
  try {
    const { content } = await client.callTool({ name, arguments: { title: 'Dune' } });
    console.log(`${name}: ${(content as { text: string }[])[0]?.text}`);
  } catch (error) {
    console.log(`${name}: refused, ${(error as Error).message}`);
  }
}
await client.close();
