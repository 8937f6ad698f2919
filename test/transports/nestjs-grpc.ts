import * as grpc from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';
import type { Postern } from 'postern';
import { PosternModule } from 'postern/nestjs';
import { onTestFinished } from 'vitest';
import { freePort } from '../support/services.js';

/** A client of a Nest microservice that serves `table.Table` by this controller. Both end with the test. */
export async function clientOfTable(
  postern: Postern,
  controller: Type,
  packageDefinition: PackageDefinition,
): Promise<grpc.Client & Readonly<Record<string, CallableFunction | undefined>>> {
  @Module({ imports: [PosternModule.forRoot({ postern })], controllers: [controller] })
  class Application {}
  const url = `127.0.0.1:${await freePort()}`;
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(Application, {
    transport: Transport.GRPC,
    options: { url, package: 'table', packageDefinition },
    logger: false,
  });
  await app.listen();
  const { Table } = grpc.loadPackageDefinition(packageDefinition).table as unknown as {
    Table: grpc.ServiceClientConstructor;
  };
  const client = new Table(url, grpc.credentials.createInsecure());
  onTestFinished(async () => {
    client.close();
    await app.close();
  });
  return client as never;
}
