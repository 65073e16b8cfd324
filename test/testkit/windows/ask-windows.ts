/** A program for Node for Windows: prints as JSON what the real Windows answers about this process, a past one, and keys. */
import { spawnSync } from 'node:child_process';
import { windowsItself } from '../../../core/src/adapters/system/windows-itself.ts';

const windows = windowsItself();
const past = spawnSync(process.execPath, ['--version']).pid;
const values = (key: string) => [...(windows.machineValues(key) ?? [['no such key']])];
const answers = {
  pid: process.pid,
  sid: windows.userSid(),
  principalName: windows.principalName() ?? null,
  administrator: windows.isAdministrator(),
  starts: [windows.processStart(process.pid), windows.processStart(process.pid)],
  parentStart: windows.processStart(process.ppid),
  pastStart: windows.processStart(past),
  values: process.argv.slice(2).map(values),
};
process.stdout.write(`${JSON.stringify(answers)}\n`);
