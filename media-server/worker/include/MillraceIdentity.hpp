#ifndef MILLRACE_IDENTITY_HPP
#define MILLRACE_IDENTITY_HPP

// What `mediasoup-worker --identify` prints. The number grows whenever the JavaScript
// side must not run with an older worker (see media-server/worker/identity.ts).
#define MILLRACE_PATCH "millrace-verbatim-consumer/1"

#define MILLRACE_WORKER_IDENTITY MILLRACE_PATCH " mediasoup/" MILLRACE_MEDIASOUP_VERSION

#endif
