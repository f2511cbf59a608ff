export declare function compileWasm(): Promise<string>
export declare function committedWasm(): string
