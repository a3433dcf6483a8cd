export { library } from '../../../tools/guest/library.ts';
