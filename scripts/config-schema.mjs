// Writes the published JSON schemas of incipit.yaml and of the price file from the schemas the gateway checks with.
// Usage: npm run build && node scripts/config-schema.mjs
import { writeFile } from 'node:fs/promises'
import { configJsonSchema } from '../packages/gateway/dist/config/schema.js'
import { priceFileJsonSchema } from '../packages/gateway/dist/prices/price-file-schema.js'

await writeSchema('incipit', configJsonSchema())
await writeSchema('prices', priceFileJsonSchema())

async function writeSchema(name, schema) {
  const path = `packages/gateway/schema/${name}.schema.json`
  await writeFile(new URL(`../${path}`, import.meta.url), `${JSON.stringify(schema, null, 2)}\n`)
  console.log(`${path} written`)
}
