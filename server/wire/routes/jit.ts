import * as permission from '../permission-request.ts'
import * as task from '../task.ts'
import * as token from '../token.ts'
import type { Route } from './route.ts'

/** Tasks and permission requests (contract §2.2). */
export const jitRoutes = {
  'jit.task.create': {
    seat: 'issuer',
    method: 'POST',
    path: '/jit/task',
    auth: 'agent',
    summary: 'Open a task',
    body: task.CreateTask,
    note: 'The older form is told apart by task_description and required_scopes.',
    answers: {
      200: task.TaskCreated.or(task.OlderTaskCreated),
      201: task.TaskCreated.or(task.OlderTaskCreated),
    },
  },
  'jit.request': {
    seat: 'issuer',
    method: 'POST',
    path: '/jit/request',
    auth: 'agent',
    summary: 'Request a permission within a task',
    body: permission.RequestPermission,
    answers: { 201: permission.PermissionRequest, 202: permission.PermissionRequest },
  },
  'jit.request.status': {
    seat: 'issuer',
    method: 'GET',
    path: '/jit/request/:requestId/status',
    auth: 'agent',
    summary: 'Look at a permission request',
    answers: { 200: permission.PermissionRequest },
  },
  'jit.request.token': {
    seat: 'issuer',
    method: 'POST',
    path: '/jit/request/:requestId/token',
    auth: 'agent',
    summary: 'Exchange an approved request for its JIT token',
    answers: { 200: token.JitTokenAnswer },
  },
  'jit.task.complete': {
    seat: 'issuer',
    method: 'POST',
    path: '/jit/task/:taskId/complete',
    auth: 'agent',
    summary: 'Complete a task and revoke all it was granted',
    answers: { 200: task.TaskCompleted, 204: null },
  },
  'jit.task.evaluate': {
    seat: 'issuer',
    method: 'POST',
    path: '/jit/task/:taskId/evaluate',
    auth: 'bearer',
    summary: 'Look at the risk of a task again, or report how it went',
    body: task.EvaluateTask,
    answers: { 200: task.TaskEvaluated },
  },
  'jit.status': {
    seat: 'issuer',
    method: 'GET',
    path: '/jit/status/:taskId',
    auth: 'agent',
    summary: 'Look at a task of the older form',
    answers: { 200: task.OlderTaskStatus },
  },
  'jit.pending': {
    seat: 'issuer',
    method: 'GET',
    path: '/jit/pending',
    auth: 'bearer',
    summary: 'List the requests that wait for a person',
    note: 'The oldest first, page by page; pagination tells how many there are.',
    query: permission.PageQuery,
    answers: { 200: permission.PendingRequests },
  },
  'jit.approve': {
    seat: 'issuer',
    method: 'POST',
    path: '/jit/approve/:requestId',
    auth: 'bearer',
    summary: 'Approve a pending request',
    body: permission.ApproveRequest,
    answers: { 200: permission.RequestApproved },
  },
  'jit.deny': {
    seat: 'issuer',
    method: 'POST',
    path: '/jit/deny/:requestId',
    auth: 'bearer',
    summary: 'Deny a pending request',
    body: permission.DenyRequest,
    answers: { 200: permission.RequestDenied },
  },
} as const satisfies Record<string, Route>
