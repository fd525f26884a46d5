// The part of the comparison library that the C# tests use: deep equality of two objects of the same
// type, collections in order, dictionaries by key, floating point numbers exactly.
using System;
using System.Collections;
using System.Linq;
using System.Reflection;

namespace KellermanSoftware.CompareNetObjects
{
    public class ComparisonResult
    {
        public bool AreEqual { get; set; }
        public string DifferencesString { get; set; }
    }

    public class CompareLogic
    {
        private const int DepthLimit = 100;

        public ComparisonResult Compare(object expected, object actual)
        {
            bool equal = Same(expected, actual, 0);
            return new ComparisonResult
            {
                AreEqual = equal,
                DifferencesString = equal ? "" : "The objects are different.",
            };
        }

        private static bool Same(object a, object b, int depth)
        {
            if (ReferenceEquals(a, b)) return true;
            if (a == null || b == null || depth > DepthLimit) return false;
            Type type = a.GetType();
            if (type != b.GetType()) return false;
            if (type.IsPrimitive || type.IsEnum || a is string || a is decimal || a is DateTime
                || a is TimeSpan || a is Guid || a is Delegate || a is Type)
                return a.Equals(b);
            if (a is IDictionary) return SameDictionaries((IDictionary)a, (IDictionary)b, depth);
            if (a is Array && !SameShape((Array)a, (Array)b)) return false;
            if (a is IEnumerable) return SameSequences((IEnumerable)a, (IEnumerable)b, depth);
            return SameMembers(type, a, b, depth);
        }

        private static bool SameShape(Array a, Array b)
        {
            return a.Rank == b.Rank
                && Enumerable.Range(0, a.Rank).All(i => a.GetLength(i) == b.GetLength(i));
        }

        private static bool SameDictionaries(IDictionary a, IDictionary b, int depth)
        {
            if (a.Count != b.Count) return false;
            foreach (DictionaryEntry entry in a)
            {
                if (!b.Contains(entry.Key) || !Same(entry.Value, b[entry.Key], depth + 1))
                    return false;
            }
            return true;
        }

        private static bool SameSequences(IEnumerable a, IEnumerable b, int depth)
        {
            IEnumerator left = a.GetEnumerator();
            IEnumerator right = b.GetEnumerator();
            while (true)
            {
                bool more = left.MoveNext();
                if (more != right.MoveNext()) return false;
                if (!more) return true;
                if (!Same(left.Current, right.Current, depth + 1)) return false;
            }
        }

        private static bool SameMembers(Type type, object a, object b, int depth)
        {
            const BindingFlags flags = BindingFlags.Public | BindingFlags.Instance;
            foreach (FieldInfo field in type.GetFields(flags))
            {
                if (!Same(field.GetValue(a), field.GetValue(b), depth + 1)) return false;
            }
            foreach (PropertyInfo property in type.GetProperties(flags))
            {
                if (!property.CanRead || property.GetIndexParameters().Length > 0) continue;
                if (!Same(property.GetValue(a, null), property.GetValue(b, null), depth + 1))
                    return false;
            }
            return true;
        }
    }
}
