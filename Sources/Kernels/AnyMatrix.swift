/// A matrix as it lies in memory: every element, or only those that are not zero.
public enum AnyMatrix {
  case dense(Matrix)
  case sparse(SparseMatrix)

  public var rows: Int {
    switch self {
    case .dense(let matrix): matrix.rows
    case .sparse(let matrix): matrix.rows
    }
  }

  public var columns: Int {
    switch self {
    case .dense(let matrix): matrix.columns
    case .sparse(let matrix): matrix.columns
    }
  }
}
