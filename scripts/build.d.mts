export declare const root: string
export declare function isFresh(): boolean
export declare function build(): boolean
