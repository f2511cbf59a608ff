// Records events as fast as they are committed, and writes each id to standard output once `record` has
// resolved. Imports and follows journals all the time, so that it is killed while it does. Runs compiled files; killed by the test that starts it.
import { openSqliteLedger } from '../../../dist/ledger/sqlite-ledger.js'

const [file, name] = process.argv.slice(2)
const template = JSON.parse(process.argv[4])
const ledger = await openSqliteLedger({ file, importDelayMs: 5, rotateBytes: 20_000 })

async function recordForever(lane) {
  for (let number = 0; ; number++) {
    const id = `req_${name}_${lane}_${number}`
    await ledger.record({ ...template, id, usage: {}, at: Date.now() })
    await new Promise((written) => process.stdout.write(`${id}\n`, written))
  }
}

await Promise.all([recordForever(0), recordForever(1), recordForever(2)])
