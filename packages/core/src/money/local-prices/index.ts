import type { PriceRow } from '../price-row.ts'
import { anthropicPrices } from './anthropic.ts'
import { compatiblePrices } from './compatible.ts'
import { deepseekPrices } from './deepseek.ts'
import { fireworksPrices } from './fireworks.ts'
import { geminiPrices } from './gemini.ts'
import { openaiPrices } from './openai.ts'
import { workersAiPrices } from './workers-ai.ts'

/** Every price known here. To change a fact, change its row and its date. */
export const localPrices: readonly PriceRow[] = [
  ...anthropicPrices,
  ...openaiPrices,
  ...geminiPrices,
  ...fireworksPrices,
  ...workersAiPrices,
  ...deepseekPrices,
  ...compatiblePrices,
]
