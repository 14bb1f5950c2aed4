import { z } from 'zod'
import { ChatRequest, ModelInfo, ModelList, ResponsesRequest } from '../model.ts'
import type { Route } from './route.ts'

/**
 * A scripted model that implements OpenAI's API. Two base URLs: `/_harness/llm/v1`, where the API key
 * identifies the tenant, and the tenant's own.
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
} as const satisfies Record<string, Route>
