import { Option } from '@commander-js/extra-typings'
import { collect } from './values.ts'

/** The options that choose among scenarios. */
export const onlyOption = new Option('--only <text>', 'only scenarios with this in their title')
export const tagOption = new Option(
  '--tag <tag>',
  'only those with this tag; may be repeated: any of them',
).argParser(collect)
export const ruleOption = new Option(
  '--rule <rule>',
  'only those that cover this rule; may be repeated: any of them',
).argParser(collect)
