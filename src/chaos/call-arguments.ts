/**
 * Which arguments of a system call (0 is the first) hold what a predicate looks at. The same on every ABI: a call that
 * takes other arguments under the same name, such as i386's mmap, stands in none of these.
 */

function positions(words: string): ReadonlyMap<string, readonly number[]> {
  return new Map(words.split(' ').flatMap((group) => {
    const [where = '', calls = ''] = group.split(':');
    return calls.split(',').map((call) => [call, [...where].map(Number)] as const);
  }));
}

/** Paths that the call looks up; of a symbolic link the link, not what it points to. A call with two matches by either. */
export const PATH_ARGUMENTS = positions(
  '0:open,creat,stat,lstat,stat64,lstat64,oldstat,oldlstat,access,truncate,truncate64,unlink,rmdir,mkdir,readlink,mknod,chmod,chown,lchown,chown32,lchown32,utime,utimes,chdir,chroot,statfs,statfs64,umount,umount2,execve,setxattr,lsetxattr,getxattr,lgetxattr,listxattr,llistxattr,removexattr,lremovexattr,acct,swapon,swapoff,uselib '
  + '1:openat,openat2,newfstatat,fstatat64,statx,faccessat,faccessat2,unlinkat,mkdirat,symlink,readlinkat,mknodat,fchmodat,fchmodat2,fchownat,futimesat,utimensat,utimensat_time64,execveat,mount,name_to_handle_at,inotify_add_watch,setxattrat,getxattrat,listxattrat,removexattrat,open_tree,open_tree_attr,fspick,mount_setattr,file_getattr,file_setattr '
  + '2:symlinkat 01:rename,link,pivot_root 13:renameat,renameat2,linkat,move_mount',
);

/** Open descriptors that the call works on; not the directory of a relative path. A call with two matches by either. */
export const FD_ARGUMENTS = positions(
  '0:close,read,pread64,readv,preadv,preadv2,write,pwrite64,writev,pwritev,pwritev2,vmsplice,lseek,_llseek,fsync,fdatasync,syncfs,sync_file_range,arm_sync_file_range,ftruncate,ftruncate64,fallocate,fstat,fstat64,oldfstat,getdents,getdents64,readdir,fchdir,fchmod,fchown,fchown32,fsetxattr,fgetxattr,flistxattr,fremovexattr,ioctl,fcntl,fcntl64,flock,dup,fstatfs,fstatfs64,readahead,fadvise64,fadvise64_64,arm_fadvise64_64,connect,bind,listen,accept,accept4,send,sendto,sendmsg,sendmmsg,recv,recvfrom,recvmsg,recvmmsg,recvmmsg_time64,getsockopt,setsockopt,getsockname,getpeername,shutdown,epoll_wait,epoll_pwait,epoll_pwait2,inotify_add_watch,timerfd_settime,timerfd_settime64,mq_timedsend,mq_timedreceive,mq_timedsend_time64,mq_timedreceive_time64,io_uring_enter,io_uring_register '
  + '01:sendfile,sendfile64,tee,dup2,dup3 02:splice,copy_file_range,epoll_ctl 4:mmap2',
);

/** A struct sockaddr, whose port a predicate may look at. */
export const ADDRESS_ARGUMENTS = positions('1:connect,bind 4:sendto');
