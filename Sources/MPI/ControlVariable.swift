import CMPI

/// A setting of the MPI library, read and written while MPI runs, through its tools interface.
///
/// The corresponding C functions are `MPI_T_cvar_handle_alloc`, `MPI_T_cvar_read` and
/// `MPI_T_cvar_write` (MPI 3.1, section 14.3.6).
struct ControlVariable: ~Copyable {
  private let name: String
  private var handle: MPI_T_cvar_handle?

  /// - Throws: `MPIError` if this MPI library has no such variable.
  init(_ name: String) throws(MPIError) {
    self.name = name
    var provided: Int32 = 0
    try check(MPI_T_init_thread(ThreadLevel.single.rawValue, &provided), "MPI_T_init_thread")
    do throws(MPIError) {
      var index: Int32 = 0
      try check(
        MPI_T_cvar_get_index(name, &index), "MPI_T_cvar_get_index(\(name))", isForgivable: true)
      var count: Int32 = 0
      try check(
        MPI_T_cvar_handle_alloc(index, nil, &handle, &count), "MPI_T_cvar_handle_alloc(\(name))",
        isForgivable: true)
    } catch {
      MPI_T_finalize()
      throw error
    }
  }

  deinit {
    var handle = handle
    MPI_T_cvar_handle_free(&handle)
    MPI_T_finalize()
  }

  /// The value of a variable of C's type `bool`.
  func readBool() throws(MPIError) -> Bool {
    var value = false
    try check(MPI_T_cvar_read(handle, &value), "MPI_T_cvar_read(\(name))")
    return value
  }

  /// The value of a variable of C's type `int`.
  func readInt() throws(MPIError) -> Int32 {
    var value: Int32 = 0
    try check(MPI_T_cvar_read(handle, &value), "MPI_T_cvar_read(\(name))")
    return value
  }

  /// Sets a variable of C's type `int`.
  func write(_ value: Int32) throws(MPIError) {
    var value = value
    try check(MPI_T_cvar_write(handle, &value), "MPI_T_cvar_write(\(name))")
  }
}
