import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findDriver, noDriver } from '../../src/stores/shared/driver.js';

const folder = mkdtempSync(join(tmpdir(), 'postern-driver-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function aPackage(name: string, code: string): void {
  const path = join(folder, 'node_modules', name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'index.js'), code);
}
aPackage('sound-driver', `module.exports = { sound: true };`);
aPackage('broken-driver', `throw new Error('wrong ELF class\\nand more');`);
aPackage('driver-without-its-part', `require('its-native-part');`);

const script = join(folder, 'main.js');
const elsewhere = 'file:///nowhere/bundle.mjs';

describe('findDriver', () => {
  it('loads what is reached from any of the places, of which some lead nowhere', () => {
    expect(findDriver('sound-driver', [undefined, 'webpack://x', elsewhere, script])).toEqual({ sound: true });
  });

  it('finds nothing where nothing is installed', () => {
    expect(findDriver('sound-driver', [elsewhere])).toBeNull();
    expect(findDriver('absent-driver', [script])).toBeNull();
  });

  it.each([
    ['broken-driver', 'wrong ELF class'],
    ['driver-without-its-part', "Cannot find module 'its-native-part'"],
  ])('%s is found, and the error says why it can not be loaded', (name, reason) => {
    expect(() => findDriver(name, [script])).toThrow(
      expect.objectContaining({
        code: 'driver_missing',
        message: `${name} is found, and can not be loaded on this machine (${reason}). Run again: npm install ${name}`,
      }),
    );
  });
});

describe('noDriver', () => {
  it('says what to install where nothing is', () => {
    expect(noDriver(['absent-driver', 'other'], 'aStore({ client })', folder)).toMatchObject({
      code: 'driver_missing',
      message:
        'there is no absent-driver and no other here. Run: npm install absent-driver (or: npm install other), or hand over your own: aStore({ client })',
    });
  });

  it('says what to write where it is installed, and a bundle does not reach it', () => {
    const { message } = noDriver(['other', 'sound-driver'], 'aStore({ client })', folder);
    expect(message).toContain('sound-driver is installed, and the bundle');
    expect(message).toContain(`serverExternalPackages: ['postern']`);
    expect(message).toContain('aStore({ client })');
    expect(message).not.toContain('npm install');
  });
});
