export * from './model/address.js';
export * from './model/ted.js';
export * from './model/path-request.js';
export * from './model/path-answer.js';
export * from './model/proof.js';
