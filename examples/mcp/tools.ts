import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Principal } from 'postern';
import * as z from 'zod';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

/** The server of one session. Its tools judge nothing: the guard in front has. */
export function makeTools(): McpServer {
  const mcp = new McpServer({ name: 'library', version: '1.0.0' });
  mcp.registerTool(
    'search',
    { description: 'Finds a book', inputSchema: { title: z.string() } },
    ({ title }, extra) => {
      const caller = extra.authInfo?.extra?.principal as Principal | undefined;
      return text(`found ${title}, for ${caller?.owner}`);
    },
  );
  mcp.registerTool('publish', { description: 'Adds a book', inputSchema: { title: z.string() } }, ({ title }) =>
    text(`published ${title}`),
  );
  return mcp;
}
