/** The addon's entry: Addon of addon.ts, and what happens when its environment ends. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env.h"
#include "lock.h"
#include "log.h"
#include "peer.h"
#include "unmounted.h"

namespace kbtop {

namespace {

/** Larger than any BPF object, smaller than what a wrong path (/dev/zero, a disk image) would cost. */
constexpr off_t kMaxImage = 64 << 20;

std::vector<uint8_t> read_image(const std::string& path) {
  const auto fail = [&path](int error) { return errno_failure(error, "cannot open BPF object " + path); };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw fail(errno);
  struct stat facts = {};
  int error = fstat(fd, &facts) == 0 ? 0 : errno;
  if (!error && S_ISDIR(facts.st_mode)) error = EISDIR;
  if (!error && !S_ISREG(facts.st_mode)) error = EINVAL;
  if (!error && facts.st_size > kMaxImage) error = EFBIG;
  std::vector<uint8_t> image(error ? 0 : static_cast<size_t>(facts.st_size));
  size_t used = 0;
  while (!error && used < image.size()) {
    const ssize_t got = read(fd, image.data() + used, image.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    used += static_cast<size_t>(got);
  }
  close(fd);
  if (error) throw fail(error);
  image.resize(used);
  return image;
}

std::string base_name(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  for (const char* suffix : {".bpf.o", ".o"}) {
    const std::string end = suffix;
    if (name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0) return name.substr(0, name.size() - end.size());
  }
  return name;
}

Napi::Value js_open(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    std::vector<uint8_t> image;
    std::string name = "object", path;
    if (info[0].IsString()) {
      path = info[0].As<Napi::String>();
      image = read_image(path);
      name = base_name(path);
    } else {
      const Bytes bytes = bytes_argument(info[0], "source, when it is not a path,");
      image.assign(bytes.data, bytes.data + bytes.size);
    }
    OpenConfig config = options_argument(info[1], std::move(name));
    config.path = std::move(path);
    return new_object(info.Env(), std::make_shared<Object>(std::move(image), std::move(config)));
  });
}

Napi::Value enable_stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    auto stats = std::make_shared<RunStats>();
    Instance::of(env).stats.insert(stats);
    std::weak_ptr<RunStats> weak = stats;
    return Napi::Function::New(env, [weak](const Napi::CallbackInfo& call) {
      if (const auto alive = weak.lock()) Instance::of(call.Env()).stats.erase(alive);
    });
  });
}

Napi::Value js_possible_cpus(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return Napi::Number::New(info.Env(), possible_cpus()); });
}

Napi::Value js_monotonic_ns(const Napi::CallbackInfo& info) { return Napi::BigInt::New(info.Env(), monotonic_ns()); }

Napi::Value js_read_unmounted(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsString() || !info[1].IsString()) throw argument_failure("a file system and a path must be strings");
    const std::string file_system = info[0].As<Napi::String>(), path = info[1].As<Napi::String>();
    std::string text;
    if (!read_unmounted(file_system, path, &text)) throw errno_failure(errno, "cannot read " + path + " of " + file_system);
    return Napi::String::New(info.Env(), text);
  });
}

Napi::Value js_kernel_ids(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const KernelIds ids = kernel_ids();
    const auto array = [&](const std::vector<uint32_t>& from) {
      Napi::Array to = Napi::Array::New(env, from.size());
      for (uint32_t i = 0; i < from.size(); i++) to.Set(i, Napi::Number::New(env, from[i]));
      return to;
    };
    Napi::Object value = Napi::Object::New(env);
    value["links"] = array(ids.links);
    value["programs"] = array(ids.programs);
    value["maps"] = array(ids.maps);
    return value;
  });
}

Napi::Value js_socket_peer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    if (!info[0].IsNumber()) throw argument_failure("a socket must be the number of a file descriptor");
    const Peer peer = socket_peer(info[0].As<Napi::Number>().Int32Value());
    Napi::Array groups = Napi::Array::New(env, peer.groups.size());
    for (uint32_t i = 0; i < peer.groups.size(); i++) groups.Set(i, Napi::Number::New(env, peer.groups[i]));
    Napi::Object value = Napi::Object::New(env);
    value["pid"] = Napi::Number::New(env, peer.pid);
    value["uid"] = Napi::Number::New(env, peer.uid);
    value["gid"] = Napi::Number::New(env, peer.gid);
    value["groups"] = groups;
    return value;
  });
}

Napi::Value js_try_lock(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsNumber()) throw argument_failure("what is to be locked must be the number of a file descriptor");
    return Napi::Boolean::New(info.Env(), try_lock(info[0].As<Napi::Number>().Int32Value()));
  });
}

}  // namespace

Napi::Object init(Napi::Env env, Napi::Object exports) {
  install_log_callback();
  auto* instance = new Instance();
  env.SetInstanceData(instance);
  instance->object_class = Napi::Persistent(define_object_class(env));
  instance->map_class = Napi::Persistent(define_map_class(env));
  instance->ring_class = Napi::Persistent(define_ring_class(env));
  // Before any finalizer: a worker that ends takes its links with it, whatever JavaScript still holds.
  env.AddCleanupHook([instance] {
    for (const auto& object : instance->objects) object->close();
    instance->objects.clear();
    instance->stats.clear();
  });
  exports["open"] = Napi::Function::New<js_open>(env, "open");
  exports["enableStats"] = Napi::Function::New<enable_stats>(env, "enableStats");
  exports["possibleCpus"] = Napi::Function::New<js_possible_cpus>(env, "possibleCpus");
  exports["monotonicNs"] = Napi::Function::New<js_monotonic_ns>(env, "monotonicNs");
  exports["readUnmounted"] = Napi::Function::New<js_read_unmounted>(env, "readUnmounted");
  exports["socketPeer"] = Napi::Function::New<js_socket_peer>(env, "socketPeer");
  exports["tryLock"] = Napi::Function::New<js_try_lock>(env, "tryLock");
  exports["kernelIds"] = Napi::Function::New<js_kernel_ids>(env, "kernelIds");
  exports["libbpfVersion"] = Napi::String::New(env, std::to_string(libbpf_major_version()) + "." + std::to_string(libbpf_minor_version()));
  return exports;
}

NODE_API_MODULE(kbtop, init)

}  // namespace kbtop
