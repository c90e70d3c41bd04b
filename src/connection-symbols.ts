// The members of a connection that only the engine and its neighbours use.

export const opened = Symbol("opened");
export const deliver = Symbol("deliver");
export const onEnd = Symbol("onEnd");
export const onQueued = Symbol("onQueued");
export const onIdle = Symbol("onIdle");
export const onClosed = Symbol("onClosed");
export const flag = Symbol("flag");
export const roleOf = Symbol("roleOf");
export const unread = Symbol("unread");
export const withholds = Symbol("withholds");
export const takeOver = Symbol("takeOver");
export const failureOf = Symbol("failureOf");
