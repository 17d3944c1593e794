import closeWithGrace from 'close-with-grace';
import pretty from 'pino-pretty';
import { readConfig } from './config.js';
import { startController } from './controller.js';
import { createLog } from './log.js';
import { StartFault } from './model/start-fault.js';

const config = settings();
const log = createLog(config.logLevel, process.stdout.isTTY ? pretty({ ignore: 'pid,hostname' }) : undefined);

const starting = startController(config, log);
closeWithGrace({ delay: 15_000, logger: log }, async ({ err, signal }) => {
  if (err instanceof StartFault) log.fatal(err.message);
  else if (err) log.fatal({ err }, 'the controller failed');
  else log.info({ signal }, 'the controller stops; the data planes stay as they are');
  // What could not start has stopped itself.
  const started = await starting.catch(() => undefined);
  await started?.stop();
});

const controller = await starting;
process.stdout.write(
  [
    `API: ${controller.url}\nSwagger UI: ${controller.url}/docs\n`,
    ...(controller.services.access.isOpen
      ? ['Access: open to all programs on this machine; WAYMARK_ADMIN_KEY_FILE closes it\n']
      : []),
  ].join(''),
);
const failure = await controller.failed;
log.fatal({ err: failure }, 'the controller cannot go on');
process.exitCode = 1;
process.kill(process.pid, 'SIGTERM');

function settings() {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof StartFault)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
