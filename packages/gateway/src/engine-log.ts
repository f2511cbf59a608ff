import type { EngineConfig, EngineModelInfo, EngineTurn } from '@incipit/engine'
import type { Logger } from 'pino'

/** What decides what is worth a line. */
type Wanted = Pick<EngineConfig, 'diskBytes'>

/**
 * What operators should know of local models that have just been loaded.
 * @example noteModels(engine.models, { diskBytes }, log)
 */
export function noteModels(models: readonly EngineModelInfo[], wanted: Wanted, log: Logger): void {
  warnOfTemplates(models, log)
  warnOfDisks(models, wanted, log)
}

/**
 * A process that ended unasked, and one that is back.
 * @example await loadEngine(config, { now, onTurn: (turn) => noteTurn(turn, config, log) })
 */
export function noteTurn(turn: EngineTurn, wanted: Wanted, log: Logger): void {
  switch (turn.kind) {
    case 'ended': {
      const { reason, signal, exitCode, requestsInFlight, restartMs } = turn
      const fields = { reason, signal, exit_code: exitCode, requests_in_flight: requestsInFlight }
      log.warn({ ...fields, restart_in_ms: restartMs }, 'the engine process ended: it is started again')
      return
    }
    case 'back':
      log.info({ restarts: turn.restarts }, 'the engine process is back')
      // Another process may have taken the folder meanwhile.
      warnOfDisks(turn.models, wanted, log)
  }
}

/** What the chat templates of local models do to prefixes, once for each file. */
function warnOfTemplates(models: readonly EngineModelInfo[], log: Logger): void {
  const byFile = new Map(models.map((model) => [model.fileHash, model]))
  for (const { name, template } of byFile.values()) {
    for (const { kind, atToken, text } of template.warnings) log.warn({ model: name, kind, at_token: atToken }, text)
  }
}

function warnOfDisks(models: readonly EngineModelInfo[], { diskBytes }: Wanted, log: Logger): void {
  if (diskBytes === 0) return
  for (const { name, diskOff } of models) {
    if (diskOff !== undefined) log.warn({ model: name, reason: diskOff }, 'the disk tier of a model is off')
  }
}
