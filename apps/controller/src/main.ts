import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { readConfig } from './config.js';
import { startController, type Controller } from './controller.js';

const config = readConfig(process.env);
const log = process.stdout.isTTY
  ? pino({ level: config.logLevel }, pretty({ ignore: 'pid,hostname' }))
  : pino({ level: config.logLevel });

let controller: Controller | undefined;
closeWithGrace({ delay: 15_000, logger: log }, async ({ err, signal }) => {
  if (err) log.fatal({ err }, 'the controller failed');
  else log.info({ signal }, 'the controller stops; the data planes stay as they are');
  await controller?.stop();
});

controller = await startController(config, log);
process.stdout.write(`API: ${controller.url}\nSwagger UI: ${controller.url}/docs\n`);
const failure = await controller.failed;
log.fatal({ err: failure }, 'the controller cannot go on');
process.exitCode = 1;
process.kill(process.pid, 'SIGTERM');
