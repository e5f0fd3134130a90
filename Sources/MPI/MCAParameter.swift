import Foundation

/// A parameter of one of Open MPI's components, as `mpirun --mca`, the environment or Open MPI's
/// files of parameters set it.
///
/// Asked for by functions that Open MPI's libraries export and its developers' headers declare
/// (`opal/mca/base/mca_base_var.h`, the same from 1.7.3 to 5.0). MPI's own way to ask,
/// `MPI_T_init_thread`, opens every component there is: among them are libraries of networks that
/// take 0.2 seconds to measure the clock, and move the thread to the first core for it, where
/// another rank may be waiting for this one.
enum MCAParameter {
  /// The value of a string; nil if there is no such parameter, as in another MPI library.
  static func string(_ name: String) -> String? {
    typealias Find = @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<Int32>) -> Int32
    typealias Value =
      @convention(c) (
        Int32, UnsafeMutablePointer<Storage?>, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?
      ) -> Int32
    // Where the value is; of a string, that is a pointer to its bytes.
    typealias Storage = UnsafePointer<UnsafePointer<CChar>?>
    guard let find = dlsym(nil, "mca_base_var_find_by_name"),
      let value = dlsym(nil, "mca_base_var_get_value")
    else { return nil }
    var index: Int32 = 0
    var storage: Storage?
    guard unsafeBitCast(find, to: Find.self)(name, &index) == 0,
      unsafeBitCast(value, to: Value.self)(index, &storage, nil, nil) == 0,
      let bytes = storage?.pointee
    else { return nil }
    return String(cString: bytes)
  }
}
