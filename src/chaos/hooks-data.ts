/**
 * Which hooks inside the kernel a system call passes, so that failing them fails the call: for kernels whose system
 * calls themselves cannot be made to fail. From the call sites of Linux 6.1 and 6.12.
 */

export interface HookWords {
  /** Families, separated by spaces. */
  readonly families: string;
  /**
   * Names without "security_", in the order in which a call may meet them; the first that is met is used up. Two names
   * (`file_alloc|file_alloc_security`) where the BPF LSM has another one; `name|` where it has none.
   */
  readonly hooks: string;
  /** What has happened already, or does not happen, when the hook fails the call; null: nothing. */
  readonly side: string | null;
  /** Calls of these families, or uses of them, that pass no hook; null: none. */
  readonly except: string | null;
  /** Calls of these families that pass none of the hooks. */
  readonly without?: string;
}

export const HOOK_WORDS: readonly HookWords[] = [
  { families: 'open', hooks: 'path_mknod inode_create file_truncate file_open', side: 'a new file fails before it exists; an existing one stays as it is', except: 'O_PATH opens pass no hook' },
  { families: 'read getdents', hooks: 'file_permission', side: null, except: null },
  { families: 'write copy fallocate', hooks: 'file_permission', side: null, except: 'vmsplice passes no hook', without: 'vmsplice tee' },
  { families: 'truncate', hooks: 'path_truncate file_truncate', side: null, except: null },
  { families: 'stat', hooks: 'inode_getattr', side: null, except: 'fstat of some kinds of descriptors passes no hook' },
  { families: 'access chdir', hooks: 'inode_permission', side: null, except: null },
  { families: 'unlink', hooks: 'path_unlink inode_unlink', side: null, except: 'unlinkat of a directory passes those of rmdir' },
  { families: 'rename', hooks: 'path_rename inode_rename', side: null, except: null },
  { families: 'mkdir', hooks: 'path_mkdir inode_mkdir', side: null, except: null },
  { families: 'rmdir', hooks: 'path_rmdir inode_rmdir', side: null, except: null },
  { families: 'symlink', hooks: 'path_symlink inode_symlink', side: null, except: null },
  { families: 'link', hooks: 'path_link inode_link', side: null, except: null },
  { families: 'mknod', hooks: 'path_mknod inode_mknod inode_create', side: null, except: null },
  { families: 'chmod', hooks: 'path_chmod inode_setattr', side: null, except: null },
  { families: 'chown', hooks: 'path_chown inode_setattr', side: null, except: null },
  { families: 'utime', hooks: 'inode_setattr', side: null, except: null },
  { families: 'readlink', hooks: 'inode_readlink', side: null, except: 'links of /proc pass other hooks first' },
  { families: 'setxattr', hooks: 'inode_setxattr inode_removexattr', side: null, except: null },
  { families: 'getxattr', hooks: 'inode_getxattr inode_listxattr', side: null, except: null },
  { families: 'ioctl', hooks: 'file_ioctl file_ioctl_compat', side: null, except: null },
  { families: 'fcntl', hooks: 'file_fcntl', side: null, except: null },
  { families: 'flock', hooks: 'file_lock', side: null, except: null },
  { families: 'mmap', hooks: 'mmap_file vm_enough_memory_mm|', side: null, except: null },
  { families: 'mremap brk', hooks: 'vm_enough_memory_mm|', side: 'only where the mapping grows', except: 'memory that is not accounted passes no hook' },
  { families: 'mprotect', hooks: 'file_mprotect vm_enough_memory_mm|', side: null, except: null },
  { families: 'exec', hooks: 'bprm_creds_for_exec bprm_check|bprm_check_security', side: 'the old program lives on', except: null },
  { families: 'fork', hooks: 'task_alloc vm_enough_memory_mm|', side: null, except: null },
  { families: 'kill', hooks: 'task_kill', side: null, except: 'a signal of the kernel itself passes no hook' },
  { families: 'ptrace', hooks: 'ptrace_access_check ptrace_traceme', side: null, except: null },
  { families: 'setuid', hooks: 'task_fix_setuid task_fix_setgid', side: null, except: null },
  { families: 'prctl', hooks: 'task_prctl', side: null, except: null },
  { families: 'prlimit', hooks: 'task_prlimit task_setrlimit', side: null, except: 'limits of the calling process that are only read pass no hook', without: 'getrlimit ugetrlimit' },
  { families: 'sched_set', hooks: 'task_setscheduler', side: null, except: null },
  { families: 'nice', hooks: 'task_setnice', side: null, except: null },
  { families: 'statfs', hooks: 'sb_statfs', side: null, except: null },
  { families: 'mount', hooks: 'sb_mount', side: null, except: null },
  { families: 'umount', hooks: 'sb_umount', side: null, except: null },
  { families: 'socket', hooks: 'socket_create sk_alloc|sk_alloc_security', side: null, except: null },
  { families: 'bind', hooks: 'socket_bind', side: null, except: null },
  { families: 'listen', hooks: 'socket_listen', side: null, except: null },
  { families: 'connect', hooks: 'socket_connect', side: 'fails before the first packet', except: null },
  { families: 'accept', hooks: 'socket_accept', side: 'the connection stays in the backlog, and the caller may try again at once', except: null },
  { families: 'send', hooks: 'socket_sendmsg', side: null, except: null },
  { families: 'recv', hooks: 'socket_recvmsg', side: 'the data stays in the queue', except: null },
  { families: 'sockopt', hooks: 'socket_getsockopt socket_setsockopt', side: null, except: null },
  { families: 'sockname', hooks: 'socket_getsockname socket_getpeername', side: null, except: null },
  { families: 'shutdown', hooks: 'socket_shutdown', side: null, except: null },
  { families: 'shm', hooks: 'shm_alloc|shm_alloc_security shm_associate shm_shmat shm_shmctl', side: null, except: null },
  { families: 'sem', hooks: 'sem_alloc|sem_alloc_security sem_associate sem_semop sem_semctl', side: null, except: null },
  { families: 'msg', hooks: 'msg_queue_alloc|msg_queue_alloc_security msg_queue_associate msg_queue_msgsnd msg_queue_msgrcv msg_queue_msgctl', side: null, except: null },
];

export interface CgroupHookWords {
  readonly calls: string;
  /** BPF_CGROUP_... attach types, in lower case. */
  readonly programs: string;
  readonly only: string;
}

/** Programs of the cgroup itself: nothing outside it can be hit. */
export const CGROUP_HOOK_WORDS: readonly CgroupHookWords[] = [
  { calls: 'connect', programs: 'connect4 connect6', only: 'IPv4 and IPv6' },
  { calls: 'bind', programs: 'bind4 bind6', only: 'IPv4 and IPv6' },
  { calls: 'sendto sendmsg sendmmsg', programs: 'sendmsg4 sendmsg6', only: 'UDP datagrams with an address' },
  { calls: 'setsockopt', programs: 'setsockopt', only: '' },
  { calls: 'getsockopt', programs: 'getsockopt', only: '' },
  { calls: 'socket', programs: 'sock_create', only: 'IPv4 and IPv6' },
];
