export { closest, didYouMean } from '../../server/wire/closest.ts'
