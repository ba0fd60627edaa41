/** The version of this pouw, as package.json has it. */
export const version = '0.1.0';
