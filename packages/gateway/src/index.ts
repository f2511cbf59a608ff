export * from './ledger/port.ts'
