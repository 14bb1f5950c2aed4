import { ProtectedResource } from '../discovery.ts'
import * as document from '../document.ts'
import * as report from '../report.ts'
import type { Route } from './route.ts'

/** The protected documents and reports (design §5). */
export const apiRoutes = {
  'resource.metadata': {
    seat: 'api',
    method: 'GET',
    path: '/.well-known/oauth-protected-resource/t/:tenant',
    aliases: [
      '/.well-known/oauth-protected-resource',
      '/t/:tenant/.well-known/oauth-protected-resource',
    ],
    auth: 'none',
    summary: 'Protected resource metadata of this API (RFC 9728)',
    note: 'The tenant stands behind the well-known part, as in every other URL of the API.',
    answers: { 200: ProtectedResource },
  },
  'documents.list': {
    seat: 'api',
    method: 'GET',
    path: '/v1/documents',
    auth: 'guard',
    summary: 'List documents, without their bodies',
    answers: { 200: document.DocumentList },
  },
  'documents.read': {
    seat: 'api',
    method: 'GET',
    path: '/v1/documents/:documentId',
    auth: 'guard',
    summary: 'Read a document',
    answers: { 200: document.Document },
  },
  'documents.write': {
    seat: 'api',
    method: 'PUT',
    path: '/v1/documents/:documentId',
    auth: 'guard',
    summary: 'Create or replace a document',
    body: document.PutDocument,
    answers: { 200: document.Document, 201: document.Document },
  },
  'documents.delete': {
    seat: 'api',
    method: 'DELETE',
    path: '/v1/documents/:documentId',
    auth: 'guard',
    summary: 'Delete a document',
    answers: { 204: null },
  },
  'documents.summarise': {
    seat: 'api',
    method: 'POST',
    path: '/v1/documents/:documentId/summaries',
    auth: 'guard',
    summary: 'Make a summary of a document',
    body: document.CreateSummary,
    answers: { 201: document.Summary },
  },
  'reports.list': {
    seat: 'api',
    method: 'GET',
    path: '/v1/reports',
    auth: 'guard',
    summary: 'List reports',
    answers: { 200: report.ReportList },
  },
  'reports.create': {
    seat: 'api',
    method: 'POST',
    path: '/v1/reports',
    auth: 'guard',
    summary: 'Write a report',
    body: report.CreateReport,
    answers: { 201: report.Report },
  },
  'reports.read': {
    seat: 'api',
    method: 'GET',
    path: '/v1/reports/:reportId',
    auth: 'guard',
    summary: 'Read a report',
    answers: { 200: report.Report },
  },
  'reports.summary': {
    seat: 'api',
    method: 'GET',
    path: '/v1/reports/:reportId/summary',
    auth: 'guard',
    summary: 'Read the summary of a report',
    answers: { 200: report.ReportSummary },
  },
} as const satisfies Record<string, Route>
