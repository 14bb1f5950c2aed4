export { type Paint, painter } from '../reports/paint.ts'
