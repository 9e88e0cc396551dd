/** BpfObject of addon.ts. */
#include <cerrno>
#include <functional>
#include <map>

#include "env.h"

namespace kbtop {

namespace {

/** Work off the JavaScript thread; the shared pointer keeps the object through a close or the environment's end. */
class Work : public Napi::AsyncWorker {
 public:
  using Body = std::function<std::vector<ProgramResult>(Object&)>;

  /** How it ends: with results, with nothing, or, for a close, with nothing and nothing to settle. */
  enum class Ending { kResults, kNothing, kClose };

  static Napi::Promise start(Napi::Env env, std::shared_ptr<Object> object, Ending ending, Body body) {
    auto* work = new Work(env, std::move(object), ending, std::move(body));
    const Napi::Promise promise = work->deferred_.Promise();
    work->Queue();
    return promise;
  }

 protected:
  void Execute() override {
    try {
      results_ = body_(*object_);
    } catch (const Failure& failure) {
      failure_ = std::make_unique<Failure>(failure);
    } catch (const std::exception&) {
      failure_ = std::make_unique<Failure>(errno_failure(ENOMEM, object_->name()));
    }
  }

  void OnOK() override {
    if (ending_ == Ending::kClose) return deferred_.Resolve(Env().Undefined());
    try {
      object_->settle();
    } catch (const Failure& closed) {
      failure_ = std::make_unique<Failure>(closed);
    }
    if (failure_) {
      deferred_.Reject(bpf_error(Env(), *failure_).Value());
    } else {
      deferred_.Resolve(ending_ == Ending::kResults ? Napi::Value(program_results(Env(), results_)) : Env().Undefined());
    }
  }

 private:
  Work(Napi::Env env, std::shared_ptr<Object> object, Ending ending, Body body)
      : Napi::AsyncWorker(env, "kbtop"),
        deferred_(Napi::Promise::Deferred::New(env)),
        object_(std::move(object)),
        ending_(ending),
        body_(std::move(body)) {}

  Napi::Promise::Deferred deferred_;
  std::shared_ptr<Object> object_;
  Ending ending_;
  Body body_;
  std::vector<ProgramResult> results_;
  std::unique_ptr<Failure> failure_;
};

class JsObject : public Napi::ObjectWrap<JsObject> {
 public:
  explicit JsObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsObject>(info) {
    object_ = std::move(Instance::of(info.Env()).pending_object);
    if (!object_) throw Napi::TypeError::New(info.Env(), "use Addon.open()");
    info.This().As<Napi::Object>().DefineProperty(
        Napi::PropertyDescriptor::Value("name", Napi::String::New(info.Env(), object_->name()), napi_enumerable));
  }

  /** Not closed, but out of JavaScript's reach: maps and rings handed out may still hold the object. */
  void Finalize(Napi::BasicEnv env) override {
    if (auto* instance = env.GetInstanceData<Instance>()) instance->objects.erase(object_);
  }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "BpfObject",
                       {
                           InstanceMethod<&JsObject::load>("load"),
                           InstanceMethod<&JsObject::attach>("attach"),
                           InstanceMethod<&JsObject::attach_async>("attachAsync"),
                           InstanceMethod<&JsObject::attach_cgroup>("attachCgroup"),
                           InstanceMethod<&JsObject::attach_kprobe>("attachKprobe"),
                           InstanceMethod<&JsObject::detach>("detach"),
                           InstanceMethod<&JsObject::detach_async>("detachAsync"),
                           InstanceMethod<&JsObject::programs>("programs"),
                           InstanceMethod<&JsObject::maps>("maps"),
                           InstanceMethod<&JsObject::map>("map"),
                           InstanceMethod<&JsObject::ring>("ring"),
                           InstanceMethod<&JsObject::iterate>("iterate"),
                           InstanceMethod<&JsObject::get_global>("getGlobal"),
                           InstanceMethod<&JsObject::set_global>("setGlobal"),
                           InstanceMethod<&JsObject::run_stats>("runStats"),
                           InstanceMethod<&JsObject::missed_runs>("missedRuns"),
                           InstanceMethod<&JsObject::close>("close"),
                           InstanceMethod<&JsObject::close_async>("closeAsync"),
                       });
  }

 private:
  Napi::Value load(const Napi::CallbackInfo& info) {
    return promised(info.Env(), Work::Ending::kResults, [&] {
      object_->begin_load();
      return [](Object& object) { return object.load(); };
    });
  }

  Napi::Value attach_async(const Napi::CallbackInfo& info) {
    return promised(info.Env(), Work::Ending::kResults, [&] {
      std::vector<std::string> names = names_argument(info[0], "programs");
      object_->begin_attach(names);
      return [names = std::move(names)](Object& object) { return object.attach_begun(names); };
    });
  }

  Napi::Value detach_async(const Napi::CallbackInfo& info) {
    return promised(info.Env(), Work::Ending::kNothing, [&] {
      std::vector<std::string> names = names_argument(info[0], "programs");
      object_->begin_detach(names);
      return [names = std::move(names)](Object& object) {
        object.detach_begun(names);
        return std::vector<ProgramResult>();
      };
    });
  }

  /** `begin` gives the work to do off this thread; what it throws rejects, as a promise's caller expects. */
  template <typename Begin>
  Napi::Value promised(Napi::Env env, Work::Ending ending, Begin&& begin) {
    try {
      return Work::start(env, object_, ending, begin());
    } catch (const Failure& failure) {
      const auto deferred = Napi::Promise::Deferred::New(env);
      deferred.Reject(bpf_error(env, failure).Value());
      return deferred.Promise();
    }
  }

  Napi::Value attach(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return program_results(info.Env(), object_->attach(names_argument(info[0], "programs")));
    });
  }

  Napi::Value attach_cgroup(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::string program = string_argument(info[0], "program"), path = string_argument(info[1], "path");
      return program_result(info.Env(), object_->attach_cgroup(program, path));
    });
  }

  Napi::Value attach_kprobe(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::string program = string_argument(info[0], "program"), function = string_argument(info[1], "function");
      return program_result(info.Env(), object_->attach_kprobe(program, function));
    });
  }

  Napi::Value detach(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      object_->detach(names_argument(info[0], "programs"));
      return info.Env().Undefined();
    });
  }

  Napi::Value programs(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
      const std::vector<ProgramInfo> programs = object_->programs();
      Napi::Array array = Napi::Array::New(env, programs.size());
      for (uint32_t i = 0; i < programs.size(); i++) {
        Napi::Object one = Napi::Object::New(env);
        one["name"] = Napi::String::New(env, programs[i].name);
        one["section"] = Napi::String::New(env, programs[i].section);
        one["loaded"] = Napi::Boolean::New(env, programs[i].loaded);
        one["attached"] = Napi::Boolean::New(env, programs[i].attached);
        one["id"] = Napi::Number::New(env, programs[i].id);
        one["linkId"] = Napi::Number::New(env, programs[i].link_id);
        array.Set(i, one);
      }
      return array;
    });
  }

  Napi::Value maps(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::vector<std::string> names = object_->map_names();
      Napi::Array array = Napi::Array::New(info.Env(), names.size());
      for (uint32_t i = 0; i < names.size(); i++) array.Set(i, Napi::String::New(info.Env(), names[i]));
      return array;
    });
  }

  Napi::Value map(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return face(maps_, new_map, info.Env(), string_argument(info[0], "map name"));
    });
  }

  Napi::Value ring(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return face(rings_, new_ring, info.Env(), string_argument(info[0], "ring name"));
    });
  }

  /** The same map or ring gives the same JavaScript object, whose buffers are reused. */
  template <typename Make>
  Napi::Value face(std::map<std::string, Napi::ObjectReference>& faces, Make make, Napi::Env env, const std::string& name) {
    object_->require_contents();
    const auto found = faces.find(name);
    if (found != faces.end()) return found->second.Value();
    const Napi::Object made = make(env, object_, name);
    faces[name] = Napi::Persistent(made);
    return made;
  }

  Napi::Value iterate(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return bytes_out(info.Env(), object_->iterate(string_argument(info[0], "program")));
    });
  }

  Napi::Value get_global(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
      const Object::Global global = object_->get_global(string_argument(info[0], "variable name"));
      if (!global.scalar) return bytes_out(env, global.bytes);
      uint64_t bits = 0;
      memcpy(&bits, global.bytes.data(), global.bytes.size());
      if (!global.is_signed) return Napi::BigInt::New(env, bits);
      const unsigned shift = 64 - 8 * static_cast<unsigned>(global.bytes.size());
      return Napi::BigInt::New(env, static_cast<int64_t>(bits << shift) >> shift);
    });
  }

  Napi::Value set_global(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const std::string name = string_argument(info[0], "variable name");
      object_->set_global(name, global_argument(info[1], name));
      return info.Env().Undefined();
    });
  }

  Napi::Value run_stats(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
      const ObjectStats stats = object_->run_stats();
      Napi::Object value = Napi::Object::New(env);
      value["runTimeNs"] = Napi::Number::New(env, static_cast<double>(stats.run_time_ns));
      value["runCount"] = Napi::Number::New(env, static_cast<double>(stats.run_count));
      return value;
    });
  }

  Napi::Value missed_runs(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return Napi::Number::New(info.Env(), static_cast<double>(object_->missed_runs(names_argument(info[0], "programs"))));
    });
  }

  void close(const Napi::CallbackInfo& info) {
    object_->close();
    let_go(info.Env());
  }

  Napi::Value close_async(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const bool mine = object_->begin_close();
    let_go(env);
    return Work::start(env, object_, Work::Ending::kClose, [mine](Object& object) {
      if (mine) object.release_closed();
      return std::vector<ProgramResult>();
    });
  }

  void let_go(Napi::Env env) {
    maps_.clear();
    rings_.clear();
    Instance::of(env).objects.erase(object_);
  }

  static Napi::Value bytes_out(Napi::Env env, const std::vector<uint8_t>& bytes) {
    auto array = Napi::Uint8Array::New(env, bytes.size());
    if (!bytes.empty()) memcpy(array.Data(), bytes.data(), bytes.size());
    return array;
  }

  std::shared_ptr<Object> object_;
  std::map<std::string, Napi::ObjectReference> maps_, rings_;
};

}  // namespace

Napi::Function define_object_class(Napi::Env env) { return JsObject::define(env); }

Napi::Object new_object(Napi::Env env, std::shared_ptr<Object> object) {
  Instance& instance = Instance::of(env);
  instance.objects.insert(object);
  instance.pending_object = std::move(object);
  return instance.object_class.New({});
}

}  // namespace kbtop
