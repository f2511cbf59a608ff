export declare function findExportProblems(): string[]
