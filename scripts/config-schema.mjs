// Writes the published JSON schema of incipit.yaml from the schema the gateway checks with.
// Usage: npm run build && node scripts/config-schema.mjs
import { writeFile } from 'node:fs/promises'
import { configJsonSchema } from '../packages/gateway/dist/config/schema.js'

const file = new URL('../packages/gateway/schema/incipit.schema.json', import.meta.url)
await writeFile(file, `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
console.log('packages/gateway/schema/incipit.schema.json written')
