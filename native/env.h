/** What the addon keeps per JavaScript environment (main thread or worker), and the way from Failures to BpfErrors. */
#pragma once

#include <napi.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernel.h"
#include "object.h"

namespace kbtop {

/** Instance data: owns what must not outlive its environment, whatever JavaScript still refers to. */
struct Instance {
  std::set<std::shared_ptr<Object>> objects;
  std::set<std::shared_ptr<RunStats>> stats;
  Napi::FunctionReference object_class, map_class, ring_class;
  /** What the next constructor call wraps: our classes cannot be constructed from JavaScript. */
  std::shared_ptr<Object> pending_object;
  std::string pending_name;

  static Instance& of(Napi::Env env) { return *env.GetInstanceData<Instance>(); }
};

/** The BpfError of addon.ts. */
Napi::Error bpf_error(Napi::Env env, const Failure& failure);

/** Run the core and turn its exceptions into JavaScript's. */
template <typename F>
auto guarded(Napi::Env env, F&& call) -> decltype(call()) {
  try {
    return call();
  } catch (const Failure& failure) {
    throw bpf_error(env, failure);
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& other) {
    throw bpf_error(env, Failure(errno_name(ENOMEM), ENOMEM, std::string("kbtop addon: ") + other.what()));
  }
}

/** The native side of a BpfMap. @param what for the message. Throws Failure. */
const Map& map_argument(const Napi::Value& value, const std::string& what);

struct Bytes {
  const uint8_t* data;
  size_t size;
};

/** @param what for the message, e.g. "key" */
Bytes bytes_argument(const Napi::Value& value, const char* what);
std::string string_argument(const Napi::Value& value, const char* what);
/** An array of strings; empty when undefined. */
std::vector<std::string> names_argument(const Napi::Value& value, const char* what);
GlobalValue global_argument(const Napi::Value& value, const std::string& name);
OpenConfig options_argument(const Napi::Value& value, std::string name);

Napi::Array program_results(Napi::Env env, const std::vector<ProgramResult>& results);
Napi::Object program_result(Napi::Env env, const ProgramResult& result);

/** The JavaScript face of an object, kept alive by `Instance::objects` until it is closed or collected. */
Napi::Object new_object(Napi::Env env, std::shared_ptr<Object> object);
Napi::Object new_map(Napi::Env env, const std::shared_ptr<Object>& object, const std::string& name);
Napi::Object new_ring(Napi::Env env, const std::shared_ptr<Object>& object, const std::string& name);

Napi::Function define_object_class(Napi::Env env);
Napi::Function define_map_class(Napi::Env env);
Napi::Function define_ring_class(Napi::Env env);

}  // namespace kbtop
