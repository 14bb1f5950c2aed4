import { z } from 'zod'
import { CreateSummary, Document, PutDocument } from '../../server/wire/document.ts'
import { apiRoutes } from '../../server/wire/routes/api.ts'
import { type ToolOptions, toolMaker } from './tool.ts'

/** Tools for the documents API, under the names that models use. */
export const documentTools = (options: ToolOptions) => {
  const tool = toolMaker(options)
  return {
    list_documents: tool(
      {
        name: 'list_documents',
        description: 'List the documents: id, title and classification, without contents.',
        inputSchema: z.strictObject({}),
      },
      () => ({ route: apiRoutes['documents.list'] }),
    ),
    fetch_sensitive_document: tool(
      {
        name: 'fetch_sensitive_document',
        description:
          'Read one document by its id. Requests the required permission itself; a person may have to approve it.',
        inputSchema: OneDocument,
      },
      ({ document_id }) => ({
        route: apiRoutes['documents.read'],
        params: { documentId: document_id },
      }),
    ),
    write_document: tool(
      {
        name: 'write_document',
        description: 'Create a document, or replace the one with this id.',
        inputSchema: OneDocument.extend(PutDocument.shape),
      },
      ({ document_id, ...body }) => ({
        route: apiRoutes['documents.write'],
        params: { documentId: document_id },
        body,
      }),
    ),
    delete_document: tool(
      {
        name: 'delete_document',
        description: 'Delete a document permanently. A person must approve it.',
        inputSchema: OneDocument,
      },
      ({ document_id }) => ({
        route: apiRoutes['documents.delete'],
        params: { documentId: document_id },
      }),
    ),
    summarize_document: tool(
      {
        name: 'summarize_document',
        description: 'Get a short summary of a document from the API, without its full text.',
        inputSchema: OneDocument.extend(CreateSummary.pick({ max_words: true }).shape),
      },
      ({ document_id, ...body }) => ({
        route: apiRoutes['documents.summarise'],
        params: { documentId: document_id },
        body,
      }),
    ),
  }
}

const OneDocument = z.strictObject({
  document_id: Document.shape.id.describe('The id of the document, such as doc_9982'),
})
