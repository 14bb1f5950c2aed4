export const callId = (seq: number, at: number) => `call_${padded(seq)}_${at}`

export const responseId = (seq: number) => `resp_${padded(seq)}`

export const messageId = (seq: number) => `msg_${padded(seq)}`

export const functionCallId = (seq: number, at: number) => `fc_${padded(seq)}_${at}`

export const padded = (seq: number) => String(seq).padStart(8, '0')
