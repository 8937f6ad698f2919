import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isWritable } from '../../stores/sqlite/file.js';
import { type Finding, ok, problem, warning } from './finding.js';

/** File systems of other machines, by Linux' numbers for them (statfs(2)). */
const SHARES: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB',
  16914839: '9p',
  1397114950: 'AFS',
  1937076805: 'Coda',
  12805120: 'Ceph',
};

/** Looks at a database file and its folder. It opens neither. */
export function examineSqliteFile(filename: string, platform: NodeJS.Platform): readonly Finding[] {
  const folder = dirname(filename);
  const findings = [networkFinding(filename, platform)];
  const closed = [folder, filename].find((path) => !isWritable(path));
  if (closed !== undefined) {
    const message = `${closed} can not be written by this user: SQLite needs the file and its folder`;
    findings.push(problem('file', message, 'Give it to the user of the application.'));
  }
  // Windows has no such mode bits.
  if (platform !== 'win32') findings.push(modeFinding(filename), ...folderFinding(folder));
  return findings;
}

function modeFinding(filename: string): Finding {
  const mode = statSync(filename).mode & 0o777;
  const text = `${filename} has mode ${mode.toString(8).padStart(4, '0')}`;
  const next = `chmod 600 ${filename}*`;
  if (mode & 0o022) return problem('file', `${text}: other users of this machine may change it`, next);
  if (mode & 0o044) return warning('file', `${text}: other users of this machine may read it`, next);
  return ok('file', `${text}: it is its owner's alone`);
}

function folderFinding(folder: string): readonly Finding[] {
  const { mode } = statSync(folder);
  // With the sticky bit, as in /tmp, others can't replace the file.
  if ((mode & 0o022) === 0 || (mode & 0o1000) !== 0) return [];
  const message = `${folder} may be written by other users of this machine, who could replace the database`;
  return [problem('file', message, `chmod go-w ${folder}`)];
}

function networkFinding(filename: string, platform: NodeJS.Platform): Finding {
  const kind = platform === 'linux' ? SHARES[Number(statfsSync(filename).type) >>> 0] : undefined;
  if (kind === undefined)
    return ok(
      'disk',
      platform === 'linux'
        ? 'The database is on no known network share'
        : 'The kind of disk is not examined on this system',
    );
  return problem(
    'disk',
    `The database is on a network share (${kind}), where SQLite's locks do not work`,
    'Move it to a local disk, or use PostgreSQL.',
  );
}
