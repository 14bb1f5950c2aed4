import { z } from 'zod'
import { GeminiAnswer, GeminiQuery, GeminiRequest } from '../gemini.ts'
import { ChatRequest, ModelInfo, ModelList, ResponsesRequest } from '../model.ts'
import type { Route } from './route.ts'

const gemini = {
  seat: 'control',
  method: 'POST',
  auth: 'model',
  source: 'CONTRACT.md#scripted-model',
  query: GeminiQuery,
  body: GeminiRequest,
} as const

/** Google's clients for Python use the version `v1beta`; those for JavaScript use `v1`. */
const geminiAliases = (verb: string) => [
  `/_harness/tenants/:tenant/llm/v1/models/:model:${verb}`,
  `/_harness/llm/v1beta/models/:model:${verb}`,
  `/_harness/llm/v1/models/:model:${verb}`,
]

/**
 * A scripted model that implements OpenAI's API and Gemini's. Two base URLs: `/_harness/llm`, where the
 * API key identifies the tenant, and the tenant's own.
 */
export const modelRoutes = {
  'model.chat': {
    seat: 'control',
    method: 'POST',
    path: '/_harness/tenants/:tenant/llm/v1/chat/completions',
    aliases: ['/_harness/llm/v1/chat/completions'],
    auth: 'model',
    summary: 'Call the scripted model: chat completions, streamed or not',
    source: 'CONTRACT.md#scripted-model',
    body: ChatRequest,
    media: 'text/event-stream',
    answers: { 200: z.looseObject({ object: z.literal('chat.completion') }) },
  },
  'model.responses': {
    seat: 'control',
    method: 'POST',
    path: '/_harness/tenants/:tenant/llm/v1/responses',
    aliases: ['/_harness/llm/v1/responses'],
    auth: 'model',
    summary: 'Call the scripted model: responses, streamed or not',
    source: 'CONTRACT.md#scripted-model',
    body: ResponsesRequest,
    media: 'text/event-stream',
    answers: { 200: z.looseObject({ object: z.literal('response') }) },
  },
  'model.list': {
    seat: 'control',
    method: 'GET',
    path: '/_harness/tenants/:tenant/llm/v1/models',
    aliases: ['/_harness/llm/v1/models'],
    auth: 'model',
    summary: 'List the models of the script',
    source: 'CONTRACT.md#scripted-model',
    answers: { 200: ModelList },
  },
  'model.read': {
    seat: 'control',
    method: 'GET',
    path: '/_harness/tenants/:tenant/llm/v1/models/:model',
    aliases: ['/_harness/llm/v1/models/:model'],
    auth: 'model',
    summary: 'Read one model',
    source: 'CONTRACT.md#scripted-model',
    answers: { 200: ModelInfo },
  },
  'model.gemini.generate': {
    ...gemini,
    path: '/_harness/tenants/:tenant/llm/v1beta/models/:model:generateContent',
    aliases: geminiAliases('generateContent'),
    summary: 'Call the scripted model: Gemini’s generateContent',
    answers: { 200: GeminiAnswer },
  },
  'model.gemini.stream': {
    ...gemini,
    path: '/_harness/tenants/:tenant/llm/v1beta/models/:model:streamGenerateContent',
    aliases: geminiAliases('streamGenerateContent'),
    summary: 'Call the scripted model: Gemini’s streamGenerateContent',
    media: 'text/event-stream',
    answers: { 200: z.array(GeminiAnswer) },
  },
} as const satisfies Record<string, Route>
