// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/interrupt.h"

#include <jitney/trace.h>

#include <future>
#include <string>
#include <system_error>

namespace jitney::runtime {

bool run_interruptibly(const std::function<bool()>& interrupted, const std::function<void(std::stop_token)>& work) {
  if (!interrupted) {
    work({});
    return false;
  }
  std::stop_source stop;
  std::future<void> done;
  try {
    const std::string caller(CorrelationId::current());
    done = std::async(std::launch::async, [&, caller] {
      const CorrelationId correlation(caller);
      work(stop.get_token());
    });
  } catch (const std::system_error&) {
    work({});
    return false;
  }
  while (done.wait_for(kInterruptPeriod) != std::future_status::ready) {
    if (!interrupted()) continue;
    stop.request_stop();
    break;
  }
  done.get();
  return stop.stop_requested();
}

}  // namespace jitney::runtime
