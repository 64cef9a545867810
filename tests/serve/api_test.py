"""Tests every route of openapi.json, and checks its answers against the schemas."""

import json
import struct
import unittest

import served
from schema import Description

VARIANTS = ['baseline', 'pruned', 'int8', 'pruned-int8', 'res160']
SECURITY_FIELDS = ['Content-Security-Policy', 'X-Content-Type-Options', 'Referrer-Policy',
                   'Cross-Origin-Resource-Policy']


def setUpModule():
    global server, description, stack
    stack = served.contextlib.ExitStack()
    server = served.Server(stack.enter_context(served.models()))
    stack.callback(server.stop)
    description = Description(server.get('/openapi.json').json)


def tearDownModule():
    stack.close()


class ApiTest(unittest.TestCase):
    seen = set()  # pairs of operation and status

    def answered(self, operation_id, answer):
        """Checks an answer against the description of its operation, and returns it."""
        responses = description.operation(operation_id)['responses']
        self.assertIn(str(answer.status), responses, answer.body)
        response = description.resolve(responses[str(answer.status)])
        ApiTest.seen.add((operation_id, answer.status))
        for field in SECURITY_FIELDS:
            self.assertIn(field, answer.headers)
        for field in response.get('headers', {}):
            if operation_id != 'v2Infer':  # in that operation it depends on the request
                self.assertIn(field, answer.headers)
        content = response.get('content')
        if content is None:
            self.assertEqual(answer.body, b'')
            return answer
        kind = answer.headers['Content-Type'].split(';')[0]
        self.assertIn(kind, content)
        if kind == 'application/json':
            self.valid(answer.json, content[kind]['schema'])
        return answer

    def valid(self, value, schema):
        self.assertEqual(description.errors(value, schema), [])

    def test_page_and_assets_have_an_etag_that_spares_their_bytes(self):
        for operation, path in ('page', '/'), ('sample', '/v1/sample'):
            whole = self.answered(operation, server.get(path))
            self.assertGreater(len(whole.body), 100)
            again = self.answered(operation, server.get(path, {'If-None-Match': whole.headers['ETag']}))
            self.assertEqual(again.status, 304)
        for path, kind in ('/style.css', 'text/css'), ('/app.js', 'text/javascript'):
            self.assertTrue(server.get(path).headers['Content-Type'].startswith(kind))

    def test_head_has_the_fields_of_get_and_no_body(self):
        whole, head = server.get('/v1/models'), server.request('HEAD', '/v1/models')
        self.assertEqual((head.status, head.body), (200, b''))
        self.assertEqual(head.headers['Content-Length'], whole.headers['Content-Length'])

    def test_description_health_and_metrics(self):
        self.answered('openapi', server.get('/openapi.json'))
        self.assertEqual(self.answered('health', server.get('/healthz')).json, {'status': 'ok'})
        text = self.answered('metrics', server.get('/metrics')).text
        for name in ('vgg19_requests_total', 'vgg19_request_duration_seconds_bucket', 'vgg19_queue_length',
                     'vgg19_in_flight', 'vgg19_uptime_seconds', 'process_resident_memory_bytes'):
            self.assertIn('\n' + name, text)
        self.assertIn('vgg19_requests_total{route="/healthz",status="200"}', text)

    def test_models_are_listed_with_the_accuracy_of_the_report(self):
        answer = self.answered('models', server.get('/v1/models')).json
        by_id = {model['id']: model for model in answer['models']}
        self.assertEqual(list(by_id), VARIANTS)
        self.assertFalse(answer['seeded'])
        self.assertEqual(by_id['baseline']['accuracy'], {'images': 4, 'top1': 0.5, 'top5': 1})
        self.assertNotIn('accuracy', by_id['pruned'])
        self.assertEqual(by_id['res160']['input_size'], 160)
        self.assertEqual(by_id['res160']['file'], by_id['baseline']['file'])

    def test_an_image_is_classified_however_it_is_sent(self):
        sample = server.get('/v1/sample').body
        body, kind = served.form(sample, file_name='../../"x"\r\n.jpg')
        ways = [(sample, 'image/jpeg'), (sample, 'application/octet-stream'), (body, kind)]
        answers = [self.answered('classify', server.post('/v1/classify?top=5', *way)) for way in ways]
        for answer in answers:
            self.assertEqual(list(answer.json), VARIANTS)
            self.assertEqual([len(result['top']) for result in answer.json.values()], [5] * len(VARIANTS))
            tops = [[result['top'] for result in one.json.values()] for one in (answer, answers[0])]
            self.assertEqual(*tops)
            self.assertIn('queue;dur=', answer.headers['Server-Timing'])
        agreement = answers[0].json['baseline']['agreement']
        self.assertTrue(agreement['top1'])
        self.assertAlmostEqual(agreement['cosine'], 1)

    def test_a_chunked_body_is_as_good(self):
        image = served.pixels()
        chunks = server.request('POST', '/v1/classify?variants=int8', iter([image[:100], image[100:]]),
                                {'Content-Type': 'image/x-portable-pixmap', 'Transfer-Encoding': 'chunked'})
        plain = server.post('/v1/classify?variants=int8', image)
        self.assertEqual(chunks.json['int8']['top'], plain.json['int8']['top'])

    def test_pictures_of_phones_are_read_and_the_largest_at_a_part_of_their_sides(self):
        for width, height, padding in ((8192, 6144, 0), (16320, 12240, 60_000_000)):
            picture = served.flat_jpeg(width, height) + bytes(padding)
            answer = server.post('/v1/classify?variants=int8', picture)
            self.assertEqual(answer.status, 200, answer.text)

    def test_one_variant_alone_is_not_in_parallel_and_can_be_profiled(self):
        answer = self.answered('classify', server.post('/v1/classify?variants=int8&profile=1&top=1000',
                                                       served.pixels()))
        result = answer.json['int8']
        self.assertEqual(list(answer.json), ['int8'])
        self.assertFalse(result['in_parallel'])
        self.assertEqual(len(result['top']), 1000)
        self.assertAlmostEqual(sum(entry['probability'] for entry in result['top']), 1, places=4)
        self.assertLessEqual(sum(layer['ms'] for layer in result['layers']), result['ms'] + 1)

    def test_what_is_wrong_with_a_request_for_classes_is_said(self):
        image = served.pixels()
        wrong = [('?top=0', 'bad_request'), ('?top=1001', 'bad_request'), ('?top=x', 'bad_request'),
                 ('?variants=nothing', 'unknown_variant'), ('?variants=', 'unknown_variant'),
                 ('?color=red', 'bad_request'), ('?top=1&top=2', 'bad_request'), ('?profile=2', 'bad_request')]
        for query, code in wrong:
            answer = self.answered('classify', server.post('/v1/classify' + query, image))
            self.assertEqual((answer.status, answer.json['error']['code']), (400, code), query)
            self.answered('createJob', server.post('/v1/jobs' + query, image))
        for body in b'', b'GIF', b'\xff\xd8\xff broken', image[:-1]:
            answer = self.answered('classify', server.post('/v1/classify', body))
            self.assertEqual((answer.status, answer.json['error']['code']), (400, 'bad_image'), body)
        self.answered('classify', server.post('/v1/classify', image, 'text/plain'))
        self.answered('createJob', server.post('/v1/jobs', image, 'application/x-www-form-urlencoded'))

    def follow(self, path, headers=None):
        answer = self.answered('jobEvents', server.get(path, headers))
        told = served.events(answer.text)
        self.assertEqual([number for number, _, _ in told], list(range(told[0][0], told[0][0] + len(told))))
        for _, name, data in told:
            self.valid(data, description.component('Event' + name.capitalize()))
        return told

    def test_a_job_tells_each_result_as_it_comes(self):
        created = self.answered('createJob', server.post('/v1/jobs?top=2', served.pixels()))
        self.assertEqual(created.headers['Location'], created.json['events'])
        told = self.follow(created.json['events'])
        names = [name for _, name, _ in told]
        self.assertEqual((names[0], names[-1]), ('started', 'done'))
        self.assertEqual(sorted(data['variant'] for _, name, data in told if name == 'result'), sorted(VARIANTS))
        self.assertEqual(sorted(data['variant'] for _, name, data in told if name == 'agreement'),
                         sorted(VARIANTS))
        self.assertEqual(told[-1][2]['state'], 'done')
        self.assertEqual(sorted(told[-1][2]['latency']), sorted(VARIANTS))
        self.assertEqual(told[0][2]['width'], 40)
        # Starts again from the middle; after the last event there is nothing, which stops an EventSource.
        self.assertEqual(self.follow(created.json['events'], {'Last-Event-ID': '3'}), told[3:])
        last = self.answered('jobEvents', server.get(created.json['events'], {'Last-Event-ID': str(len(told))}))
        self.assertEqual(last.status, 204)

    def test_rounds_run_one_variant_at_a_time(self):
        created = self.answered('createJob', server.post(
            '/v1/jobs?mode=rounds&rounds=3&variants=int8,baseline&profile=1', served.pixels()))
        told = self.follow(created.json['events'])
        results = [data for _, name, data in told if name == 'result']
        self.assertEqual([(data['variant'], data['round']) for data in results],
                         [(variant, number) for number in (1, 2, 3) for variant in ('baseline', 'int8')])
        self.assertFalse(any(data['result']['in_parallel'] for data in results))
        self.assertEqual([data['round'] for _, name, data in told if name == 'round'], [1, 2, 3])
        self.assertEqual(told[-1][2]['latency']['int8']['runs'], 3)

    def test_a_job_with_a_broken_image_fails_as_a_whole(self):
        created = self.answered('createJob', server.post('/v1/jobs', b'no image'))
        told = self.follow(created.json['events'])
        self.assertEqual([name for _, name, _ in told], ['failed', 'done'])
        self.assertEqual(told[0][2]['error']['code'], 'bad_image')
        self.assertEqual(told[1][2]['state'], 'failed')
        unknown = self.answered('jobEvents', server.get('/v1/jobs/' + '0' * 32 + '/events'))
        self.assertEqual(unknown.status, 404)

    def test_open_inference_protocol_describes_models(self):
        self.assertIn('binary_tensor_data', self.answered('v2Server', server.get('/v2')).json['extensions'])
        self.answered('v2Live', server.get('/v2/health/live'))
        self.answered('v2Ready', server.get('/v2/health/ready'))
        model = self.answered('v2Model', server.get('/v2/models/res160')).json
        self.assertEqual(model['inputs'][0]['shape'], [-1, 3, 160, 160])
        self.assertEqual(model['outputs'][0]['shape'], [-1, 1000])
        self.answered('v2ModelReady', server.get('/v2/models/res160/ready'))
        self.assertEqual(self.answered('v2Model', server.get('/v2/models/none')).status, 404)
        self.assertEqual(self.answered('v2ModelReady', server.get('/v2/models/none/ready')).status, 404)

    def test_json_and_binary_tensors_give_the_same_logits(self):
        count = 3 * 160 * 160
        values = [(index % 17) / 8 - 1 for index in range(2 * count)]
        tensor = {'name': 'input', 'datatype': 'FP32', 'shape': [2, 3, 160, 160]}
        path = '/v2/models/res160/infer'
        nested = [[values[begin:begin + 160] for begin in range(first, first + count, 160)]
                  for first in (0, count)]
        plain = self.answered('v2Infer', server.post(
            path, json.dumps({'id': 'seven', 'inputs': [{**tensor, 'data': nested}]}), 'application/json'))
        self.assertEqual(plain.status, 200, plain.body[:300])
        self.assertEqual(plain.json['id'], 'seven')
        output = plain.json['outputs'][0]
        self.assertEqual(output['shape'], [2, 1000])

        bytes_in = struct.pack(f'<{2 * count}f', *values)
        head = json.dumps({'inputs': [{**tensor, 'parameters': {'binary_data_size': len(bytes_in)}}],
                           'outputs': [{'name': 'logits', 'parameters': {'binary_data': True}}]}).encode()
        binary = self.answered('v2Infer', server.post(
            path, head + bytes_in, 'application/octet-stream',
            {'Inference-Header-Content-Length': str(len(head))}))
        length = int(binary.headers['Inference-Header-Content-Length'])
        answer = json.loads(binary.body[:length])
        self.valid(answer, description.component('V2InferResponse'))
        size = answer['outputs'][0]['parameters']['binary_data_size']
        self.assertEqual(len(binary.body), length + size)
        logits = struct.unpack('<2000f', binary.body[length:])
        self.assertEqual(struct.pack('<2000f', *output['data']), struct.pack('<2000f', *logits))

    def test_wrong_tensors_are_refused(self):
        tensor = {'name': 'input', 'datatype': 'FP32', 'shape': [1, 3, 160, 160], 'data': [0]}
        wrong = [[], {}, {'inputs': []}, {'inputs': [tensor]}, {'inputs': [tensor, tensor]},
                 {'inputs': [{**tensor, 'name': 'x'}]}, {'inputs': [{**tensor, 'datatype': 'FP64'}]},
                 {'inputs': [{**tensor, 'shape': [1, 3, 32, 32]}]},
                 {'inputs': [{**tensor, 'shape': [10**15, 3, 160, 160]}]},
                 {'inputs': [{**tensor, 'shape': [-1, 3, 160, 160]}]},
                 {'inputs': [{**tensor, 'data': ['a'] * 76800}]},
                 {'inputs': [{**tensor, 'data': [1e39] * 76800}]},
                 {'inputs': [{**tensor, 'parameters': {'binary_data_size': 4}}]},
                 {'inputs': [tensor], 'outputs': [{'name': 'other'}]}]
        for request in wrong:
            answer = self.answered('v2Infer', server.post('/v2/models/res160/infer', json.dumps(request),
                                                          'application/json'))
            self.assertEqual(answer.status, 400, str(request)[:100])
        for length in '3', 'x', '-1', '99':
            answer = self.answered('v2Infer', server.post('/v2/models/res160/infer', b'{}',
                                                          'application/octet-stream',
                                                          {'Inference-Header-Content-Length': length}))
            self.assertEqual(answer.status, 400)
        self.assertEqual(self.answered('v2Infer', server.post('/v2/models/none/infer', b'{}',
                                                              'application/json')).status, 404)
        self.answered('v2Infer', server.post('/v2/models/res160/infer', b'{}', 'image/png'))

    def test_zz_every_operation_was_answered_well(self):
        # Must come last by name, because unittest sorts tests.
        for _, _, operation in description.operations():
            self.assertTrue(any(status < 400 for name, status in ApiTest.seen
                                if name == operation['operationId']), operation['operationId'])


if __name__ == '__main__':
    unittest.main()
