import {
  type CanActivate,
  createParamDecorator,
  type DynamicModule,
  type ExecutionContext,
  Inject,
  Module,
  type OnModuleInit,
  SetMetadata,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, ModulesContainer } from '@nestjs/core';
import * as z from 'zod';
import { unpolluted } from '../../base/check.js';
import { privateField } from '../../base/private-field.js';
import { type Decision, type Denied, denied } from '../../domain/decision.js';
import { PosternError } from '../../domain/errors.js';
import type { Principal } from '../../domain/principal.js';
import { shared } from '../../domain/shared.js';
import type { Postern } from '../../instance/create-postern.js';
import type { RegisteredTypes } from '../../instance/register.js';
import { type Ask, asker, type RequirementFor, reporter } from '../ask.js';
import type { Places } from '../credential.js';
import { type HttpGuardOptions, httpOptions, optionsReader } from '../guard-options.js';
import { httpAnswers } from '../http-answer.js';
import { rateLimitHeaders } from '../rate-limit-headers.js';
import type { PeerCall, SocketRequest } from '../zones.js';
import { callOf, identityOf, type NestCall } from './call.js';
import { PosternDenied, PosternDeniedFilter } from './denial.js';
import { holdSocket, StreamLease } from './leases.js';
import { handlersOf, putAround, putOn, REQUIREMENT, requirementOf } from './requirement.js';

/** Options of `PosternModule.forRoot`. Answers in another form are an exception filter's (`@Catch(PosternDenied)`). */
export interface PosternModuleOptions extends HttpGuardOptions<SocketRequest | PeerCall> {
  readonly postern: Postern;
}

const readOptions = optionsReader('PosternModule.forRoot', {
  ...httpOptions,
  postern: z.custom<Postern>(
    (value) => typeof (value as Partial<Postern> | null)?.tryAuthorize === 'function',
    'give what createPostern() returned',
  ),
});

type NestRequirement = RequirementFor<ExecutionContext>;

/** What a call needs, on a handler or on its class; the handler's wins. A handler without either is refused. */
export const Requires = (
  requirement: RequirementFor<ExecutionContext, RegisteredTypes>,
): MethodDecorator & ClassDecorator => SetMetadata(REQUIREMENT, requirement);

/** A parameter of a handler: who calls; `null` where no credential was needed. */
export const Caller: (...pipes: never[]) => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => principalOf(context),
);

const PRINCIPALS = /* @__PURE__ */ shared('nest-principals', () => new WeakMap<object, Principal | null>());

/**
 * Who makes a call, for interceptors and the like; `null` where no credential was needed.
 *
 * @throws PosternError `guard_missing` where no guard let this call through
 */
export function principalOf(context: ExecutionContext): Principal<RegisteredTypes> | null {
  const principal = PRINCIPALS.get(identityOf(context));
  if (principal !== undefined) return principal as Principal<RegisteredTypes> | null;
  throw new PosternError('guard_missing', 'no guard let this call through: import PosternModule.forRoot({ postern })');
}

const PASSED = privateField<true>();

/** What the guard of an application asks and answers with. */
class Guarding {
  readonly #ask: (requirement: NestRequirement) => Ask<NestCall>;
  readonly #answer: ReturnType<typeof httpAnswers>;
  readonly #report: (fault: unknown) => Denied;
  readonly #header: Places;

  constructor(options: PosternModuleOptions) {
    const { postern, zone, header, onDenied: _none, ...challenge } = readOptions(options);
    const asks = new WeakMap<object, Ask<NestCall>>();
    this.#header = header;
    this.#answer = httpAnswers(challenge);
    this.#report = reporter(postern, 'nestjs');
    this.#ask = (requirement) => {
      let ask = asks.get(requirement);
      if (ask === undefined) {
        const needed = typeof requirement === 'function' ? (call: NestCall) => requirement(call.context) : requirement;
        const standing = typeof zone === 'function' ? (call: NestCall) => zone(call.request) : zone;
        ask = asker<NestCall, never>(postern as never, needed as never, standing, {
          transport: 'nestjs',
          methodOf: ({ method }) => method,
          identityOf: ({ identity }) => identity,
          onExpress: true,
        }) as Ask<NestCall>;
        asks.set(requirement, ask);
      }
      return ask;
    };
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown` */
  check(requirement: unknown): void {
    if (requirement !== undefined) this.#ask(requirement as NestRequirement);
  }

  async decide(context: ExecutionContext): Promise<Decision> {
    try {
      const requirement = requirementOf(context.getHandler(), context.getClass());
      if (requirement === undefined) return denied('requirement_missing');
      const call = callOf(context, this.#header);
      const decision = await this.#ask(requirement as NestRequirement)(call, call.presented);
      if (decision.allowed && call.kind === 'ws') holdSocket(context.switchToWs().getClient(), call.identity);
      return decision;
    } catch (error) {
      return this.#report(error);
    }
  }

  exception(denial: Denied): PosternDenied {
    return new PosternDenied(denial, this.#answer(denial));
  }
}

/** The guard of `PosternModule`: for `@UseGuards` where Nest doesn't apply an application's guards by itself. */
export class PosternGuard implements CanActivate {
  readonly #guarding: Guarding;

  constructor(guarding: Guarding) {
    this.#guarding = guarding;
  }

  /** @throws PosternDenied where the call is denied */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    // An application's guards and a class's share the context of a call.
    if (PASSED.get(context)) return true;
    const decision = await this.#guarding.decide(context);
    if (!decision.allowed) throw this.#guarding.exception(decision);
    PASSED.set(context, true);
    PRINCIPALS.set(identityOf(context), decision.principal);
    const limit = unpolluted(decision, 'limit');
    if (limit !== undefined && context.getType() === 'http') {
      // Express's response and Fastify's reply alike.
      const response = context.switchToHttp().getResponse<{ header(name: string, value: string): unknown }>();
      for (const [name, value] of Object.entries(rateLimitHeaders(limit))) response.header(name, value);
    }
    return true;
  }
}

/**
 * Guards every handler of an application: of controllers (Express, Fastify), of gRPC microservices and of WebSocket gateways.
 * A handler that declares nothing is refused.
 *
 * @example
 * @Module({ imports: [PosternModule.forRoot({ postern })], controllers: [Models] })
 * class Application {}
 *
 * @Controller('models')
 * class Models {
 *   @Get() @Requires({ scope: 'models:read' })
 *   list(@Caller() caller: Principal | null) {}
 * }
 */
export class PosternModule implements OnModuleInit {
  readonly #guarding: Guarding;
  readonly #modules: ModulesContainer;

  constructor(guarding: Guarding, modules: ModulesContainer) {
    this.#guarding = guarding;
    this.#modules = modules;
    // Now, for Nest reads them when it sets handlers up.
    for (const { owner, handler, message, streams } of handlersOf(modules)) {
      if (message) putOn(owner, new PosternGuard(guarding), new PosternDeniedFilter());
      if (streams) putAround(handler, new StreamLease((denial) => guarding.exception(denial)));
    }
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown` for what a handler declares */
  onModuleInit(): void {
    for (const { requirement } of handlersOf(this.#modules)) this.#guarding.check(requirement);
  }

  /** @throws PosternError `option_invalid`, `option_unknown` */
  static forRoot(options: PosternModuleOptions): DynamicModule {
    return {
      module: PosternModule,
      global: true,
      providers: [
        { provide: Guarding, useValue: new Guarding(options) },
        { provide: APP_GUARD, useClass: PosternGuard },
        { provide: APP_FILTER, useClass: PosternDeniedFilter },
      ],
      exports: [Guarding],
    };
  }
}

Inject(Guarding)(PosternGuard, undefined, 0);
Inject(Guarding)(PosternModule, undefined, 0);
Inject(ModulesContainer)(PosternModule, undefined, 1);
Module({})(PosternModule);
