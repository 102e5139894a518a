#!/usr/bin/env node
// The command line. Standard output carries what programs read: the line `listening …`, or one JSON
// document; everything else goes to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage.

import { Command, CommanderError, Option } from 'commander';
import type { Endpoint } from './address';
import { listenArgument } from './arguments';
import { addProxy } from './proxy-options';

const { version } = require('../../package.json') as { version: string };

function program(): Command {
  const spliceway = new Command('spliceway')
    .description('Servers and proxies on an event loop of their own.')
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .action(noCommand);
  for (const add of [addEcho, addProxy, addSend, addDoctor, addBuild]) add(spliceway);
  for (const command of spliceway.commands) command.exitOverride().configureOutput({ outputError: () => {} });
  // A name that is no command's comes to noCommand as an argument.
  return spliceway.allowExcessArguments();
}

function noCommand(_options: object, { args }: Command): void {
  const what = args.length === 0 ? 'a command is missing' : `unknown command '${args[0]}'`;
  throw new CommanderError(2, 'spliceway.noCommand', `error: ${what}: see spliceway --help`);
}

function addEcho(spliceway: Command): void {
  spliceway
    .command('echo')
    .description('send every byte back')
    .addArgument(listenArgument())
    .addOption(
      new Option('--style <style>', 'how the server is written').choices(['await', 'handler']).default('await'),
    )
    .action(async (at: Endpoint, { style }: { style: string }) => {
      const { echoAwaiting, echoHandling } = await import('./echo.js');
      const { serveUntilSignal } = await import('./serving.js');
      await serveUntilSignal(at, style === 'handler' ? echoHandling : echoAwaiting);
    });
}

function addSend(spliceway: Command): void {
  spliceway
    .command('send')
    .description('send a whole file to each connection, then close it')
    .addArgument(listenArgument())
    .argument('<file>', 'a regular file')
    .action(async (at: Endpoint, file: string) => {
      const { checkReadable, senderOf } = await import('./send.js');
      const { serveUntilSignal } = await import('./serving.js');
      await checkReadable(file);
      await serveUntilSignal(at, senderOf(file));
    });
}

function addDoctor(spliceway: Command): void {
  spliceway
    .command('doctor')
    .description('show the backend, the binary, kernel features and limits, and what to mend')
    .option('--json', 'one JSON document on standard output')
    .action(async ({ json }: { json?: boolean }) => {
      const { describe, examine } = await import('./doctor.js');
      const report = examine();
      if (json === true) console.log(JSON.stringify(report, null, 2));
      else console.error(describe(report));
      process.exitCode = report.binary.error === null ? 0 : 1;
    });
}

function addBuild(spliceway: Command): void {
  spliceway
    .command('build')
    .description('compile the addon here (needs a C++20 compiler, make and Python)')
    .action(async () => {
      const { build } = await import('./build.js');
      process.exitCode = build();
    });
}

async function main(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // --help, --version
    console.error(error.message.split('\n')[0]);
    return 2;
  }
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
}

void main();
