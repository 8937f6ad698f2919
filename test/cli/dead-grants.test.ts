import { describe, expect, it } from 'vitest';
import { theCommand } from './command.js';
import { aServer } from './server.js';

const server = await aServer();
const postern = theCommand();
