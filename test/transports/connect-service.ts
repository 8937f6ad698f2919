import { create, createFileRegistry, type DescService } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';

/**
 * The service `table.Table`, as `protoc` would make it, without it. Every method takes and gives a StringValue; those of names
 * that begin with `stream` stream their answers, with `send` their requests, with `chat` both.
 */
export function serviceOf(names: readonly string[]): DescService {
  const type = '.google.protobuf.StringValue';
  const file = create(FileDescriptorProtoSchema, {
    name: 'table.proto',
    package: 'table',
    syntax: 'proto3',
    dependency: ['google/protobuf/wrappers.proto'],
    service: [
      {
        name: 'Table',
        method: names.map((name) => ({
          name,
          inputType: type,
          outputType: type,
          serverStreaming: /^(stream|chat)/i.test(name),
          clientStreaming: /^(send|chat)/i.test(name),
        })),
      },
    ],
  });
  const registry = createFileRegistry(
    create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, file] }),
  );
  return registry.getService('table.Table') as DescService;
}
