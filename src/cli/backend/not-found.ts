import { quote } from '../../domain/text.js';
import { CliError } from '../failure.js';

export function unknownToken(id: string): CliError {
  return new CliError(`there is no token ${quote(id)}. Take its id from the first column of postern api-token list`);
}

export function unknownEndpoint(id: string): CliError {
  return new CliError(`there is no endpoint ${quote(id)}. Take its id from the first column of postern endpoint list`);
}
