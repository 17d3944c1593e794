export * from './model/ports.js';
