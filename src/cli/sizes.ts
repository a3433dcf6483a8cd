export { formatSize, parseSize, type SizeLimits } from '../sizes.ts';
