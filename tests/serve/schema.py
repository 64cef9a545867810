"""The part of JSON Schema that openapi.json uses. Unknown keywords are an error."""

import re

ANNOTATIONS = {'description', 'default'}
TYPES = {'object': dict, 'array': list, 'string': str, 'boolean': bool}


def is_type(value, name):
    if name == 'integer':
        return isinstance(value, int) and not isinstance(value, bool)
    if name == 'number':
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


class Description:
    def __init__(self, document):
        self.document = document

    def resolve(self, item):
        while '$ref' in item:
            target = self.document
            for key in item['$ref'].removeprefix('#/').split('/'):
                target = target[key]
            item = target
        return item

    def operations(self):
        for path, item in self.document['paths'].items():
            for method, operation in item.items():
                yield path, method.upper(), operation

    def operation(self, operation_id):
        return next(found for _, _, found in self.operations() if found['operationId'] == operation_id)

    def component(self, name):
        return self.document['components']['schemas'][name]

    def errors(self, value, schema, where='$'):
        """The problems of the value, one line each."""
        schema = self.resolve(schema)
        found = []
        for keyword, wanted in schema.items():
            if keyword not in ANNOTATIONS:
                found += getattr(self, 'check_' + keyword)(value, wanted, where, schema)
        return found

    def check_type(self, value, name, where, _):
        return [] if is_type(value, name) else [f'{where}: expected {name}, found {value!r}']

    def check_enum(self, value, choices, where, _):
        return [] if value in choices else [f'{where}: expected one of {choices}, found {value!r}']

    def check_const(self, value, wanted, where, _):
        return [] if value == wanted else [f'{where}: expected {wanted!r}, found {value!r}']

    def check_pattern(self, value, pattern, where, _):
        return [] if not isinstance(value, str) or re.search(pattern, value) else [f'{where}: expected {pattern}, found {value!r}']

    def check_minimum(self, value, least, where, _):
        return [] if value >= least else [f'{where}: expected at least {least}, found {value}']

    def check_maximum(self, value, most, where, _):
        return [] if value <= most else [f'{where}: expected at most {most}, found {value}']

    def check_minItems(self, value, least, where, _):
        return [] if len(value) >= least else [f'{where}: expected {least} items, found {len(value)}']

    def check_maxItems(self, value, most, where, _):
        return [] if len(value) <= most else [f'{where}: expected at most {most} items, found {len(value)}']

    def check_required(self, value, names, where, _):
        return [f'{where}: {name} is missing' for name in names if name not in value]

    def check_properties(self, value, properties, where, _):
        return [error for name, schema in properties.items() if name in value
                for error in self.errors(value[name], schema, f'{where}.{name}')]

    def check_additionalProperties(self, value, wanted, where, schema):
        others = [name for name in value if name not in schema.get('properties', {})]
        if wanted is False:
            return [f'{where}: {name} is not described' for name in others]
        return [error for name in others for error in self.errors(value[name], wanted, f'{where}.{name}')]

    def check_items(self, value, schema, where, _):
        return [error for index, item in enumerate(value)
                for error in self.errors(item, schema, f'{where}[{index}]')]

    def check_anyOf(self, value, schemas, where, _):
        tries = [self.errors(value, schema, where) for schema in schemas]
        return [] if [] in tries else min(tries, key=len)
