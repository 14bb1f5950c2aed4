import * as permission from './permission-request.ts'
import type { Route } from './route.ts'
import * as task from './task.ts'
import * as token from './token.ts'

/** Tasks and permission requests (contract §2.2). */
export const jitRoutes = {
  'jit.task.create': {
    seat: 'issuer',
    method: 'POST',
    path: '/jit/task',
    auth: 'agent',
    summary: 'Open a task',
    body: task.CreateTask,
    answers: { 201: task.TaskCreated },
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
  'jit.pending': {
    seat: 'issuer',
    method: 'GET',
    path: '/jit/pending',
    auth: 'bearer',
    summary: 'List the requests that wait for a person',
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
