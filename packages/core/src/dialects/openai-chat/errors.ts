export {
  readOpenaiFault as readFault,
  renderOpenaiError as renderError,
  renderOpenaiFault as renderFault,
} from '../shared/openai-error.ts'
