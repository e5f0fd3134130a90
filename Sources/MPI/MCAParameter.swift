import Foundation

/// A parameter of one of Open MPI's components: as `mpirun --mca`, the environment or a file of
/// parameters set it, or as it has been set since.
///
/// Read and written by functions that Open MPI's libraries export and its developers' headers
/// declare (`opal/mca/base/mca_base_var.h`, the same from 1.7.3 to 5.0). MPI's own way there, the
/// tools interface, opens every component there is when it begins: among them are libraries of
/// networks that take 0.2 seconds to measure the clock, and move the thread to the first core for
/// it, where another rank may be waiting for this one.
struct MCAParameter {
  private let name: String
  /// Among all parameters.
  private let index: Int32
  private let storage: UnsafeRawPointer

  private typealias Find =
    @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<Int32>) -> Int32
  private typealias GetValue =
    @convention(c) (
      _ index: Int32, _ storage: UnsafeMutablePointer<UnsafeRawPointer?>,
      _ source: UnsafeMutableRawPointer?, _ file: UnsafeMutableRawPointer?
    ) -> Int32
  private typealias SetValue =
    @convention(c) (
      _ index: Int32, _ value: UnsafeRawPointer, _ size: Int, _ source: Int32,
      _ file: UnsafePointer<CChar>?
    ) -> Int32

  /// - Throws: `MCAParameterMissing`, as of another MPI library, or where the component is not
  ///   used.
  init(_ name: String) throws {
    var index: Int32 = 0
    var storage: UnsafeRawPointer?
    guard let find = MCAParameter.function("mca_base_var_find_by_name", as: Find.self),
      let getValue = MCAParameter.function("mca_base_var_get_value", as: GetValue.self),
      find(name, &index) == 0, getValue(index, &storage, nil, nil) == 0, let storage
    else { throw MCAParameterMissing(name: name) }
    self.name = name
    self.index = index
    self.storage = storage
  }

  /// The value of a parameter of C's type `bool`.
  func readBool() -> Bool { storage.load(as: Bool.self) }

  /// The value of a parameter of C's type `int`.
  func readInt() -> Int32 { storage.load(as: Int32.self) }

  /// The value of a string; nil if it has none.
  func readString() -> String? {
    storage.load(as: UnsafePointer<CChar>?.self).map { String(cString: $0) }
  }

  /// Sets a parameter of C's type `int`.
  /// - Throws: `MCAParameterMissing` if there is no such value, or it cannot be set.
  func write(_ value: Int32) throws {
    let setValue = MCAParameter.function("mca_base_var_set_value", as: SetValue.self)
    let isSet = withUnsafePointer(to: value) {
      setValue?(index, $0, 0, MCAParameter.setByProgram, nil) == 0
    }
    guard isSet else { throw MCAParameterMissing(name: name, value: value) }
  }

  /// Where a value comes from: `MCA_BASE_VAR_SOURCE_SET`.
  private static let setByProgram: Int32 = 4

  private static func function<Function>(_ name: String, as type: Function.Type) -> Function? {
    dlsym(nil, name).map { unsafeBitCast($0, to: type) }
  }
}

/// This MPI has no such parameter, or none that could have that value.
public struct MCAParameterMissing: Error, CustomStringConvertible {
  public var name: String
  public var value: Int32?

  public var description: String {
    "this MPI has no parameter \(name)" + (value.map { " that could be \($0)" } ?? "")
      + ": it takes Open MPI 4.1 or later, with no component excluded (OMPI_MCA_..., mpirun --mca)"
  }
}
