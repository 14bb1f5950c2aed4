import '../server/wire/require-node.ts'

/** The reference client of LumoAuth's just-in-time permissions. */
export { type AgentOptions, type Fetch, LumoAuthAgent, type TokenOptions } from './agent.ts'
export { type Allow, type Challenged, reading } from './allow.ts'
export type {
  Completion,
  Evaluation,
  JitToken,
  Pending,
  PermissionAnswer,
  Task,
} from './answers.ts'
export * from './errors.ts'
export { refusalOf } from './escalation-refusal.ts'
export {
  JitContext,
  type JitOptions,
  type PermissionOptions,
  type SuspendedTask,
  type TaskOrder,
  type WaitOptions,
} from './jit-context.ts'
export { createJitFetch } from './jit-fetch.ts'
export type { Escalating, JitFetchOptions, JitStep } from './jit-fetch-options.ts'
export { type Look, type PollOptions, poll } from './poll.ts'
export type { Now, Sleep } from './time.ts'
export { aiSdkTools } from './tools/ai-sdk.ts'
export { documentTools } from './tools/documents.ts'
export { langchainTools } from './tools/langchain.ts'
export { mastraTools } from './tools/mastra.ts'
export { registerMcpTools, type StepUp } from './tools/mcp.ts'
export { openaiAgentsTools } from './tools/openai-agents.ts'
export { reportTools } from './tools/reports.ts'
export type { Tool, ToolOptions, ToolResult } from './tools/tool.ts'
